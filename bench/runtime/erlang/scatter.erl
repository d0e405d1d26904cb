%% SPDX-License-Identifier: Apache-2.0
%% One message to each of a million idle processes, in random order.
-module(scatter).
-export([main/0]).
-define(ACTORS, 1000000).

main() ->
    measure:main(1, fun() ->
        {Counted, Pids} = idle:start(?ACTORS),
        [play(Counted, Pids, Round) || Round <- [0, 1]]
    end).

play(Counted, Pids, Round) ->
    put(round, Round),
    Shuffled = measure:shuffle(Pids),
    Since = measure:now_ns(),
    idle:poke(Counted, Shuffled),
    measure:ns("a message to each of a million", Since, ?ACTORS).
