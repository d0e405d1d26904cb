%% SPDX-License-Identifier: Apache-2.0
%% A hundred processes; each sends a ping to all others, and when all have answered it does so again, until it has
%% seen 20,000 round trips.
-module(all_to_all).
-export([main/0]).
-define(ACTORS, 100).
-define(PEERS, (?ACTORS - 1)).
-define(TRIPS, (20000 div ?PEERS * ?PEERS)).

main() -> measure:main(2, fun play/0).

play() ->
    Schedulers = erlang:system_info(schedulers),
    Root = self(),
    Pids = [measure:spawn_on(Number rem Schedulers, fun() -> receive {go, All} -> go(Root, All) end end)
            || Number <- lists:seq(1, ?ACTORS)],
    Since = measure:now_ns(),
    [Pid ! {go, Pids} || Pid <- Pids],
    Total = lists:sum([receive {done, Messages} -> Messages end || _ <- Pids]),
    Total = 2 * ?ACTORS * ?TRIPS,
    measure:rate("all to all", Since, Total),
    [exit(Pid, kill) || Pid <- Pids].

go(Root, All) ->
    Peers = lists:delete(self(), All),
    ping_all(Peers),
    talk(Root, Peers, 0, 0).

ping_all(Peers) -> [Peer ! {ping, self()} || Peer <- Peers].

talk(Root, Peers, ?TRIPS, ?TRIPS) ->
    Root ! {done, 2 * ?TRIPS},
    talk(Root, Peers, ?TRIPS, 0);
talk(Root, Peers, Trips, Pings) ->
    receive
        {ping, From} ->
            From ! pong,
            talk(Root, Peers, Trips, Pings + 1);
        pong when (Trips + 1) rem ?PEERS =:= 0, Trips + 1 < ?TRIPS ->
            ping_all(Peers),
            talk(Root, Peers, Trips + 1, Pings);
        pong -> talk(Root, Peers, Trips + 1, Pings)
    end.
