//! What a store is, whatever lies under it. Each case is a function of a store; the macro runs every one on every store.

mod commits;
mod lists;
mod meters;
mod model;
mod names;
mod notices;
mod sessions;
mod surveys;
mod upkeep;
mod usage;
mod writing;

/// One module for each store, with every case in it as a test.
macro_rules! on_every_store {
    ($cases:tt) => {
        on_one_store!(memory $cases);
        on_one_store!(sqlite $cases);
        on_one_store!(postgresql $cases);
    };
}

macro_rules! on_one_store {
    ($store:ident { $($room:ident: $($case:ident),*;)* }) => {
        mod $store {
            $($(
                #[test]
                fn $case() {
                    super::$room::$case(&*$crate::store::places::$store().store);
                }
            )*)*
        }
    };
}

on_every_store!({
    writing:
        every_mutation_is_read_back_as_written,
        a_journal_row_stands_for_every_mutation,
        every_shape_of_a_client_is_read_back,
        what_is_not_there_is_none;
    names:
        a_second_of_one_name_is_refused_and_nothing_changes,
        what_may_be_alike_is_accepted;
    commits:
        a_refusal_changes_nothing,
        nothing_to_do_takes_no_epoch,
        a_decision_sees_the_head_before_it,
        a_panic_while_deciding_changes_nothing,
        concurrent_commits_form_one_unbroken_chain,
        the_follower_reads_what_came_after;
    lists:
        pages_hold_every_row_once,
        what_is_searched_for_is_taken_by_the_letter,
        clients_are_found_by_name_id_and_contact_with_what_else_is_asked,
        revoked_tokens_come_in_pages_with_their_ends,
        secrets_and_keys_come_in_the_order_of_their_making,
        a_subject_nothing_can_have_finds_nothing;
    meters:
        a_draw_gives_what_is_left_and_no_more,
        a_first_draw_keeps_to_the_limit_too,
        a_share_of_what_is_left_is_one_at_least,
        every_meter_counts_by_itself,
        what_is_given_back_can_be_drawn_again,
        who_draw_at_once_reach_the_limit_and_never_pass_it,
        meters_are_forgotten_two_days_after_their_window;
    notices:
        what_ends_near_a_threshold_is_read_page_by_page,
        what_was_noticed_is_no_longer_found_at_this_end_and_threshold,
        what_ends_is_counted_by_environment,
        a_notice_is_read_back_as_it_was_kept,
        a_notice_is_kept_once_for_each_subject_end_and_threshold,
        a_notice_whose_id_is_taken_changes_nothing,
        of_many_who_raise_the_same_one_does,
        what_is_due_is_taken_by_one_at_a_time_the_longest_due_first,
        only_the_last_attempt_begun_can_be_settled,
        notices_are_listed_in_their_order_and_filtered,
        notices_of_what_ended_long_ago_are_forgotten;
    sessions:
        a_session_is_read_back_by_its_digest_until_it_ends,
        its_last_use_is_never_moved_back,
        every_session_of_one_operator_ends_and_of_no_other,
        with_one_session_too_many_the_oldest_of_its_operator_ends,
        sessions_are_forgotten_by_when_they_began;
    surveys:
        clients_are_counted_by_environment_and_status,
        clients_with_more_than_one_secret_that_lasts_are_found,
        what_ends_soonest_is_found_noticed_or_not;
    model:
        it_answers_as_memory_does;
    upkeep:
        a_use_is_never_moved_back,
        a_change_of_a_secret_keeps_its_last_use,
        what_is_past_is_forgotten,
        an_idempotency_key_is_kept_with_its_change,
        the_first_master_key_check_stays;
    usage:
        a_batch_is_added_once,
        writers_that_count_in_the_same_rows_lose_nothing,
        it_is_summed_and_paged_as_in_memory,
        what_is_old_is_forgotten_and_no_more;
});
