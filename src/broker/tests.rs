//! Both brokers under one suite: what a message may count on, whichever is configured.

use harness::Rig;

mod dead;
mod embedded_only;
mod harness;
mod proxy;
mod rabbit_only;
mod suite;

/// Every test of the suite, once per broker.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::Rig::embedded().run(super::suite::$name).await;
            })*
        }

        mod on_rabbitmq {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::Rig::rabbitmq().run(super::suite::$name).await;
            })*
        }
    };
}

on_both!(
    what_is_published_is_taken_once_and_then_gone,
    a_failed_message_comes_back_after_its_rung_and_not_before,
    a_parked_message_lies_in_the_dead_letters_with_its_history,
    a_held_message_pauses_its_lane_and_is_taken_again,
    what_a_paused_consumer_held_is_marked_for_the_next_one,
    a_message_for_no_queue_is_an_error,
    what_was_not_taken_is_there_after_a_restart,
    what_is_held_at_the_stop_is_there_after_a_restart,
    a_stop_finishes_what_runs_and_leaves_the_rest,
    two_thousand_messages_are_all_taken_once,
    a_slow_message_does_not_hold_up_the_others,
    looking_thirty_times_at_dead_letters_loses_none,
    a_replayed_dead_letter_is_back_in_its_queue_as_new,
    a_dead_letter_that_has_no_queue_to_go_to_stays,
    a_removed_dead_letter_is_gone_for_good,
);
