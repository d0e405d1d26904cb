%% SPDX-License-Identifier: Apache-2.0
%% A token goes round a ring of 503 processes, and counts its hops down.
-module(ring).
-export([main/0]).
-define(ACTORS, 503).
-define(HOPS, 5000000).

main() -> measure:main(2, fun play/0).

play() ->
    Root = self(),
    Pids = [spawn(fun() -> receive {link, Next} -> knot(Root, Next, Number) end end)
            || Number <- lists:seq(0, ?ACTORS - 1)],
    [First | Others] = Pids,
    [Pid ! {link, Next} || {Pid, Next} <- lists:zip(Pids, Others ++ [First])],
    Since = measure:now_ns(),
    First ! {token, ?HOPS},
    Last = ?HOPS rem ?ACTORS,
    receive {done, Last} -> ok end,
    measure:ns("ring", Since, ?HOPS),
    [exit(Pid, kill) || Pid <- Pids].

knot(Root, Next, Number) ->
    receive
        {token, 0} -> Root ! {done, Number};
        {token, Hops} -> Next ! {token, Hops - 1}
    end,
    knot(Root, Next, Number).
