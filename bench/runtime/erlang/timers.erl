%% SPDX-License-Identifier: Apache-2.0
%% A million timers, due within the second minute from now, are set, then cancelled: once in the order in which they
%% were set, once at random.
-module(timers).
-export([main/0]).
-define(TIMERS, 1000000).

main() -> measure:main(2, fun play/0).

play() ->
    Since = measure:now_ns(),
    InOrder = set_all(0, []),
    measure:ns("timer set", Since, ?TIMERS),
    cancel_all("timer cancelled in order", lists:reverse(InOrder)),
    cancel_all("timer cancelled at random", measure:shuffle(set_all(0, []))).

set_all(?TIMERS, Timers) -> Timers;
set_all(Number, Timers) ->
    Timer = erlang:send_after(60000 + Number * 7919 rem 60000, self(), due),
    set_all(Number + 1, [Timer | Timers]).

cancel_all(What, Timers) ->
    Since = measure:now_ns(),
    ?TIMERS = cancel(Timers, 0),
    measure:ns(What, Since, ?TIMERS),
    false = erlang:cancel_timer(hd(Timers)).

cancel([], Cancelled) -> Cancelled;
cancel([Timer | Timers], Cancelled) ->
    true = is_integer(erlang:cancel_timer(Timer)),
    cancel(Timers, Cancelled + 1).
