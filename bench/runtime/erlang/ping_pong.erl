%% SPDX-License-Identifier: Apache-2.0
%% Two processes send a ball to and fro. With two schedulers each has its own.
-module(ping_pong).
-export([main/0]).

main() -> measure:main(2, fun play/0).

play() ->
    Across = erlang:system_info(schedulers) > 1,
    Trips = case Across of true -> 100000; false -> 1000000 end,
    What = case Across of true -> "ping-pong across"; false -> "ping-pong" end,
    Root = self(),
    There = measure:spawn_on(case Across of true -> 1; false -> 0 end, fun return/0),
    Here = measure:spawn_on(0, fun() -> receive serve -> There ! {ball, self()}, play(Root, Trips, 0) end end),
    Since = measure:now_ns(),
    Here ! serve,
    receive {done, Trips} -> ok end,
    measure:ns(What, Since, 2 * Trips),
    exit(There, kill).

play(Root, 1, Seen) -> receive {ball, _} -> Root ! {done, Seen + 1} end;
play(Root, Left, Seen) ->
    receive {ball, From} -> From ! {ball, self()}, play(Root, Left - 1, Seen + 1) end.

return() -> receive {ball, From} -> From ! {ball, self()}, return() end.
