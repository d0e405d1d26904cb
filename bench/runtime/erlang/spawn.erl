%% SPDX-License-Identifier: Apache-2.0
%% A hundred chains: each process spawns the next and ends. The last of a chain tells how many there were.
-module(spawn).
-export([main/0, ephemeral/3]).
-define(CHAINS, 100).
-define(CHAIN_ACTORS, 10000).

main() -> measure:main(2, fun play/0).

play() ->
    Schedulers = erlang:system_info(schedulers),
    Root = self(),
    Since = measure:now_ns(),
    [measure:spawn_on(Chain rem Schedulers, fun() -> ephemeral(Root, ?CHAIN_ACTORS, 0) end)
     || Chain <- lists:seq(1, ?CHAINS)],
    Total = lists:sum([receive {done, Spawned} -> Spawned end || _ <- lists:seq(1, ?CHAINS)]),
    Total = ?CHAINS * ?CHAIN_ACTORS,
    measure:ns(case Schedulers of 1 -> "spawn and exit"; _ -> "spawn and exit, 2 schedulers" end, Since, Total).

ephemeral(Root, 1, Spawned) -> Root ! {done, Spawned + 1};
ephemeral(Root, Left, Spawned) -> erlang:spawn(?MODULE, ephemeral, [Root, Left - 1, Spawned + 1]).
