%% SPDX-License-Identifier: Apache-2.0
%% What a process at rest takes of resident memory, everything included. There is one kind of them: it stands beside
%% both of ours.
-module(rest).
-export([main/0]).
-define(ACTORS, 1000000).

main() -> measure:main(1, fun play/0).

play() ->
    Before = measure:resident_bytes(),
    {Counted, Pids} = idle:start(?ACTORS),
    erlang:yield(),
    Each = (measure:resident_bytes() - Before) / ?ACTORS,
    idle:poke(Counted, Pids),
    measure:tell("idle behaviour", "bytes", Each),
    measure:tell("idle process", "bytes", Each).
