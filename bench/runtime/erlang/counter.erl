%% SPDX-License-Identifier: Apache-2.0
%% One process sends ten million messages to another, which counts them; after each thousand it waits until they are
%% counted.
-module(counter).
-export([main/0]).
-define(MESSAGES, 10000000).
-define(CREDIT, 1000).

main() -> measure:main(2, fun play/0).

play() ->
    Schedulers = erlang:system_info(schedulers),
    Root = self(),
    Counter = measure:spawn_on(Schedulers - 1, fun() -> count(0) end),
    Since = measure:now_ns(),
    measure:spawn_on(0, fun() -> send_all(Root, Counter) end),
    receive {done, ?MESSAGES} -> ok end,
    measure:rate(case Schedulers of 1 -> "counter"; _ -> "counter across" end, Since, ?MESSAGES),
    exit(Counter, kill).

count(Counted) ->
    receive {count, From} -> ok end,
    case (Counted + 1) rem ?CREDIT of
        0 -> From ! {counted, Counted + 1};
        _ -> ok
    end,
    count(Counted + 1).

send_all(Root, Counter) ->
    send(Counter, {count, self()}, ?CREDIT),
    receive
        {counted, ?MESSAGES} -> Root ! {done, ?MESSAGES};
        {counted, _} -> send_all(Root, Counter)
    end.

send(_, _, 0) -> ok;
send(Counter, Message, Left) ->
    Counter ! Message,
    send(Counter, Message, Left - 1).
