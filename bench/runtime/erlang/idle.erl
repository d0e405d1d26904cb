%% SPDX-License-Identifier: Apache-2.0
%% Processes at rest, each with 64 bytes of state, and one message to each of them.
-module(idle).
-export([start/1, poke/2, sleep/2]).

start(Count) ->
    Counted = counters:new(1, []),
    {Counted, [spawn(?MODULE, sleep, [Counted, {1, 2, 3, 4, 5, 6}]) || _ <- lists:seq(1, Count)]}.

sleep(Counted, State) ->
    receive poke -> counters:add(Counted, 1, 1) end,
    sleep(Counted, State).

poke(Counted, Pids) ->
    Before = counters:get(Counted, 1),
    All = Before + length(Pids),
    [Pid ! poke || Pid <- Pids],
    wait(Counted, All).

wait(Counted, All) ->
    case counters:get(Counted, 1) of
        All -> ok;
        _ ->
            erlang:yield(),
            wait(Counted, All)
    end.
