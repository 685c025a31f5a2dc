//! One suite for both stores: every scenario runs on a new SQLite file and on a new PostgreSQL database.

mod accepting;
mod committing;
mod controlling;
mod demanding;
mod detailing;
mod external;
mod giving_back;
mod late_money;
mod operating;
mod operators_view;
mod reading;
mod reconciling;
mod renewing;
pub(crate) mod samples;
mod stores;

use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, resume_unwind};

use stores::Store;

/// Runs a scenario, and removes the store also when it panicked.
async fn on(store: Store, scenario: impl AsyncFnOnce(&Store)) {
    let ended = AssertUnwindSafe(scenario(&store)).catch_unwind().await;
    store.remove().await;
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

macro_rules! on_both_stores {
    ($($room:ident :: $scenario:ident,)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::on(super::Store::sqlite(), super::$room::$scenario).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::on(super::Store::postgres().await, super::$room::$scenario).await;
            })*
        }
    };
}

on_both_stores! {
    accepting::a_new_payment_is_created_and_read_back,
    accepting::the_same_key_and_body_are_a_replay,
    accepting::the_same_key_of_two_customers_and_a_server_is_three_keys,
    accepting::the_same_key_with_another_body_is_reused,
    accepting::a_held_order_is_taken,
    accepting::an_order_is_free_again_after_a_decline,
    accepting::twenty_accepts_of_one_key_create_one_payment,
    accepting::twenty_accepts_of_one_order_create_one_payment,
    accepting::an_orphan_loses_its_order_after_ten_seconds,
    accepting::an_orphan_is_replayed_to_its_own_key,
    accepting::twenty_accepts_over_one_orphan_create_one_payment,
    accepting::a_published_payment_is_no_orphan,
    accepting::a_withdrawn_payment_gives_back_key_and_order,
    accepting::what_is_published_or_begun_is_not_withdrawn,
    external::an_event_waits_only_for_earlier_open_ones_of_its_subscription,
    external::a_record_is_sent_by_one_only_and_forgotten_only_while_in_doubt,
    external::the_access_of_a_subscription_is_written_anew_and_its_end_kept,
    committing::every_field_comes_back,
    committing::every_state_of_attempts_and_confirmations_comes_back,
    committing::a_second_commit_on_one_version_is_a_conflict_and_writes_nothing,
    committing::one_of_twenty_commits_on_one_version_wins,
    committing::a_view_is_kept_only_when_it_shows_news,
    committing::a_final_payment_forgets_its_token_and_its_closed_bodies,
    committing::a_payment_on_its_way_keeps_its_bodies,
    late_money::a_late_capture_is_recorded_beside_the_new_holder,
    late_money::an_accept_against_a_late_capture_leaves_one_holder,
    committing::a_commit_does_not_unpublish,
    operating::a_confirmation_that_was_given_up_is_taken_up_again_once,
    operating::a_discard_is_kept_in_the_history,
    operators_view::deeds_are_read_newest_first_and_by_their_payment,
    operators_view::the_log_is_only_ever_added_to,
    operators_view::processes_are_seen_until_they_have_been_silent_for_an_hour,
    operators_view::payments_are_found_by_each_of_their_ids_page_by_page,
    operators_view::what_has_not_settled_is_counted_by_status,
    operators_view::every_search_goes_through_its_index,
    controlling::a_pause_lasts_until_it_is_ended,
    controlling::a_second_pause_keeps_its_beginning,
    controlling::a_pause_of_a_later_build_is_unreadable,
    reading::a_payment_is_found_by_its_reference,
    reading::lists_are_filtered_and_newest_first,
    reading::doubts_are_counted_with_the_oldest,
    reading::history_goes_on_after_a_sequence,
    reading::many_opens_of_an_empty_store_at_once_succeed,
    reading::a_foreign_value_is_unreadable_and_named,
    reading::a_blocked_write_ends_within_the_time_out_and_the_ledger_recovers,
    reading::an_open_ledger_answers_and_closes,
    reconciling::every_payment_since_a_moment_is_fed_once_and_in_order,
    reconciling::what_is_older_is_fed_while_it_has_not_settled,
    reconciling::one_process_at_a_time_reconciles_and_all_read_what_it_found,
    reconciling::a_ledger_is_examined_without_being_made_or_changed,
    demanding::every_demand_comes_back,
    demanding::a_repeated_demand_gives_back_the_stored_one,
    demanding::one_of_twenty_takes_of_one_demand_is_new,
    demanding::a_done_demand_has_no_token_left,
    demanding::a_demand_taken_in_as_done_keeps_no_token,
    demanding::only_a_settled_demand_is_opened_again,
    demanding::demands_are_listed_newest_first_and_by_their_state,
    demanding::open_demands_that_rest_are_found_once,
    giving_back::money_that_goes_back_is_written_with_its_payment_in_order,
    giving_back::an_entry_is_replaced_by_its_id,
    giving_back::a_change_with_money_back_is_all_or_nothing,
    giving_back::an_entry_of_another_payment_stops_the_whole_change,
    renewing::a_renewal_comes_back_with_its_cycle,
    renewing::a_held_cycle_is_taken_until_its_payment_is_declined,
    renewing::a_renewal_is_never_an_orphan,
    renewing::a_renewal_takes_over_the_order_of_an_orphan,
    renewing::twenty_accepts_of_one_cycle_create_one_payment,
    renewing::late_money_is_recorded_beside_the_new_holder_of_the_cycle,
    renewing::late_money_takes_the_cycle_back_when_nobody_holds_it,
    renewing::an_accept_against_late_money_leaves_one_holder_of_the_cycle,
    renewing::the_payments_of_a_subscription_are_found_newest_first,
    renewing::what_is_or_may_be_authorized_with_payment_details_is_found,
    renewing::all_payments_of_an_order_are_found_with_what_belongs_to_them,
    renewing::a_payment_is_found_by_its_id_at_cleeng,
    renewing::a_cycle_without_its_details_is_unreadable,
    detailing::a_change_of_details_comes_back_with_what_it_is_for,
    detailing::changes_of_details_stand_in_nobodys_way,
    detailing::an_id_of_details_is_not_taken_for_a_payments,
    detailing::news_of_one_change_are_written_together,
}
