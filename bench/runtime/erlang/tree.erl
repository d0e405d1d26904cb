%% SPDX-License-Identifier: Apache-2.0
%% A tree of processes with fan-out 10 and a million leaves. A leaf tells its parent its number and ends, every other
%% one the sum of what its children told.
-module(tree).
-export([main/0, node/3]).
-define(LEAVES, 1000000).
-define(FAN_OUT, 10).

main() -> measure:main(2, fun play/0).

play() ->
    Since = measure:now_ns(),
    spawn(?MODULE, node, [self(), 0, ?LEAVES]),
    Sum = ?LEAVES * (?LEAVES - 1) div 2,
    receive {sum, Sum} -> ok end,
    What = case erlang:system_info(schedulers) of 1 -> "tree"; _ -> "tree, 2 schedulers" end,
    measure:tell(What, "ms", (measure:now_ns() - Since) / 1.0e6).

node(Parent, First, 1) -> Parent ! {sum, First};
node(Parent, First, Leaves) ->
    Each = Leaves div ?FAN_OUT,
    spawn_children(First, Each, ?FAN_OUT),
    Parent ! {sum, sum(?FAN_OUT, 0)}.

spawn_children(_, _, 0) -> ok;
spawn_children(First, Each, Count) ->
    spawn(?MODULE, node, [self(), First, Each]),
    spawn_children(First + Each, Each, Count - 1).

sum(0, Sum) -> Sum;
sum(Waits, Sum) -> receive {sum, Number} -> sum(Waits - 1, Sum + Number) end.
