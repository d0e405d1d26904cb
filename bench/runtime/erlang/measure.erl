%% SPDX-License-Identifier: Apache-2.0
%% measure.erl - the twin of measure.c: plays a measure in a process, tells lines of JSON.
-module(measure).
-export([main/2, now_ns/0, ns/3, rate/3, tell/3, spawn_on/2, resident_bytes/0, shuffle/1]).

%% `erl -s ring`: twice, so that round 1 finds its memory touched. A crash ends the emulator with exit code 1.
main(Rounds, Play) ->
    {Pid, Ref} = spawn_monitor(fun() ->
        [begin put(round, Round), Play() end || Round <- lists:seq(0, Rounds - 1)]
    end),
    receive
        {'DOWN', Ref, process, Pid, normal} -> halt(0);
        {'DOWN', Ref, process, Pid, Reason} ->
            io:format(standard_error, "~p~n", [Reason]),
            halt(1)
    end.

now_ns() -> erlang:monotonic_time(nanosecond).

ns(What, Since, Count) -> tell(What, "ns", (now_ns() - Since) / Count).

rate(What, Since, Count) -> tell(What, "M/s", Count * 1000 / (now_ns() - Since)).

tell(What, Unit, Value) ->
    io:format("{\"measure\": \"~s\", \"round\": ~p, \"unit\": \"~s\", \"value\": ~.2f}~n",
              [What, get(round), Unit, float(Value)]).

%% Bound to a scheduler, 0 to n - 1, as actors of ours are.
spawn_on(Scheduler, Run) -> spawn_opt(Run, [{scheduler, Scheduler + 1}]).

resident_bytes() ->
    {ok, File} = file:open("/proc/self/statm", [read, raw, binary]),
    {ok, Line} = file:read(File, 200),
    ok = file:close(File),
    [_, Pages | _] = binary:split(Line, <<" ">>, [global]),
    binary_to_integer(Pages) * 4096.

shuffle(List) ->
    State = rand:seed_s(exsss, length(List)),
    {Keyed, _} = lists:mapfoldl(fun(Each, At) ->
        {Key, Next} = rand:uniform_s(At),
        {{Key, Each}, Next}
    end, State, List),
    [Each || {_, Each} <- lists:sort(Keyed)].
