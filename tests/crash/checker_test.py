#!/usr/bin/python3
"""Every kind of breach is reported, and histories that only look odd are not."""

import contextlib
import io
import unittest
from collections import Counter

import checker
import vacuity
from campaign import plan_kills, plan_power
from evidence import Evidence
from story import LEASE_MS, Story


class CheckerTest(unittest.TestCase):
    def setUp(self):
        self.story = Story()

    def kinds(self):
        return {kind for kind, _ in checker.breaches(Evidence(self.story.finished()))}

    def assert_breach(self, kind):
        self.assertIn(kind, self.kinds())

    def assert_clean(self):
        self.assertEqual(checker.breaches(Evidence(self.story.finished())), [])


class Sound(CheckerTest):
    def test_a_job_that_is_pushed_run_and_acked_is_clean(self):
        self.story.whole("a", "1")
        self.assert_clean()

    def test_a_lease_that_ran_out_explains_the_next_one(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1)
        self.story.pass_time(LEASE_MS / 1000)
        self.story.lease("a", "1", fence=2)
        self.story.end("ack", "1", fence=1, phase="rejected", code="LEASELOST")
        self.story.end("ack", "1", fence=2)
        self.story.record("a", "1", fence=2)
        self.assert_clean()

    def test_an_unknown_ack_may_have_been_applied_or_not(self):
        for name, job, fence in (("a", "1", 1), ("b", "2", 2)):
            self.story.push(name, job)
            self.story.lease(name, job, fence=1)
            self.story.end("ack", job, fence=1, phase="unknown")
            self.story.record(name, job, fence=fence)
        self.story.pass_time(LEASE_MS / 1000)
        self.story.lease("b", "2", fence=2)
        self.story.end("ack", "2", fence=2)
        self.assert_clean()

    def test_an_unknown_push_may_be_there_or_not(self):
        self.story.push("a", phase="unknown")
        self.story.push("b", phase="unknown")
        self.story.lease("b", "2")
        self.story.end("ack", "2")
        self.story.record("b", "2")
        self.assert_clean()

    def test_a_failure_that_is_repeated_after_the_retry_of_its_job_ended_it_before(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1)
        self.story.end("fail", "1", fence=1, phase="unknown", noretry=True)
        self.story.verb("retry", "1")
        self.story.end("fail", "1", fence=1, state="dead", attempt=1, noretry=True)
        self.story.lease("a", "1", fence=2, attempt=1)
        self.story.end("ack", "1", fence=2)
        self.story.record("a", "1", fence=2, attempt=1, generation=2)
        self.assert_clean()

    def test_a_retry_opens_a_new_generation(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1)
        self.story.end("fail", "1", fence=1, state="dead", attempt=1, noretry=True)
        self.story.verb("retry", "1")
        self.story.lease("a", "1", fence=2, attempt=1)
        self.story.end("ack", "1", fence=2)
        self.story.record("a", "1", fence=2, attempt=1, generation=2)
        self.assert_clean()

    def test_a_release_gives_the_attempt_back(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1, attempt=1)
        self.story.end("release", "1", fence=1)
        self.story.lease("a", "1", fence=2, attempt=1)
        self.story.end("ack", "1", fence=2)
        self.story.record("a", "1", fence=2, attempt=1)
        self.assert_clean()

    def test_the_repeat_of_an_ack_is_no_stale_token(self):
        self.story.whole("a", "1")
        self.story.end("ack", "1")
        self.assert_clean()


class Jobs(CheckerTest):
    def test_an_acked_enqueue_that_is_absent_is_lost(self):
        self.story.push("a", "1")
        self.story.whole("b", "2")
        self.assert_breach("lost")

    def test_a_job_with_keep_is_lost_unless_it_was_ended(self):
        self.story.push("a", "1", keep_ms=1)
        self.story.lease("a", "1")
        self.story.whole("b", "2")
        self.assert_breach("lost")

    def test_a_job_with_keep_that_was_acked_may_be_gone(self):
        self.story.push("a", "1", keep_ms=1)
        self.story.lease("a", "1")
        self.story.end("ack", "1")
        self.story.whole("b", "2")
        self.story.counts(pushed=2, retired=1)
        self.assert_clean()

    def test_a_job_that_nobody_pushed_is_unexpected(self):
        self.story.whole("a", "1")
        self.story.record("ghost", "2")
        self.story.push("ghost", phase="rejected", code="OVERLOADED", text="OVERLOADED")
        self.assert_breach("unexpected-job")

    def test_args_that_changed_are_unexpected(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        self.story.end("ack", "1")
        self.story.record("a", "1", crc=5)
        self.assert_breach("unexpected-job")

    def test_a_refused_push_that_left_something_is_unexpected(self):
        self.story.whole("a", "1")
        self.story.push("b", phase="rejected", code="OVERLOADED", text="OVERLOADED", key="own-b")
        self.story.key("own-b", "2")
        self.assert_breach("unexpected-job")

    def test_a_repeated_push_with_a_second_id_is_a_duplicate(self):
        self.story.whole("a", "1")
        self.story.push("a", "2", producer="x", seq=1)
        self.story.record("a", "2")
        self.assert_breach("duplicate")

    def test_a_key_with_two_holders_is_a_duplicate(self):
        self.story.push("a", "1", key="k", ondup="return")
        self.story.push("b", "2", key="k", ondup="return")
        self.assert_breach("duplicate")

    def test_an_id_of_two_names_is_a_duplicate(self):
        self.story.whole("a", "1")
        self.story.push("b", "1")
        self.assert_breach("duplicate")

    def test_half_an_unanswered_batch_is_partial(self):
        items = [self.story.spec(name, key=f"own-{name}") for name in "ab"]
        self.story.call("mpush", {"items": items}, "unknown")
        self.story.key("own-a", "1")
        self.story.key("own-b", None)
        self.assert_breach("partial")

    def test_a_transaction_whose_push_is_there_without_its_ack_is_partial(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        members = [{"op": "ack", "job": "1", "token": "1/1", "result": "r"},
                   {"op": "push", **self.story.spec("b", key="own-b")}]
        self.story.call("exec", {"members": members}, "unknown")
        self.story.key("own-b", "2")
        self.story.record("a", "1", state="dead", reason="attempts used up")
        self.assert_breach("partial")

    def test_a_transaction_whose_ack_is_there_without_its_push_is_partial(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        members = [{"op": "ack", "job": "1", "token": "1/1", "result": "r"},
                   {"op": "push", **self.story.spec("b", key="own-b")}]
        self.story.call("exec", {"members": members}, "unknown")
        self.story.key("own-b", None)
        self.story.record("a", "1", result="r")
        self.assert_breach("partial")

    def test_a_job_that_is_not_at_an_end_is_in_limbo(self):
        self.story.push("a", "1")
        self.story.record("a", "1", state="ready", fence=0)
        self.assert_breach("limbo")

    def test_success_without_an_ack_is_a_wrong_end(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        self.story.record("a", "1")
        self.assert_breach("wrong-end")

    def test_dead_before_all_attempts_is_too_early(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        self.story.end("fail", "1", state="dead", attempt=1)
        self.story.record("a", "1", state="dead", reason="attempts used up", attempt=1)
        self.assert_breach("dead-too-early")

    def test_dead_by_a_crash_in_company_is_an_innocent(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", count=5)
        self.story.record("a", "1", state="dead", reason="its worker died too often", crashes=3)
        self.assert_breach("innocent-dead")

    def test_dead_by_too_few_crashes_is_an_innocent(self):
        self.story.push("a", "1")
        self.story.record("a", "1", state="dead", reason="its worker died too often", crashes=1)
        self.assert_breach("innocent-dead")

    def test_poison_that_never_dies_is_in_limbo(self):
        self.story.push("a", "1", do="poison")
        self.story.lease("a", "1")
        self.story.record("a", "1", state="scheduled")
        self.assert_breach("limbo")

    def test_an_ack_that_was_rolled_back_is_forgotten(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        self.story.end("ack", "1")
        self.story.record("a", "1", state="dead", reason="attempts used up", attempt=4)
        self.assert_breach("forgotten")

    def test_a_lease_that_was_rolled_back_is_forgotten(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1)
        self.story.pass_time(LEASE_MS / 1000)
        self.story.lease("a", "1", fence=2)
        self.story.end("ack", "1", fence=1, phase="unknown")
        self.story.record("a", "1", fence=1)
        self.assert_breach("forgotten")

    def test_a_call_without_an_answer_is_a_breach(self):
        self.story.whole("a", "1")
        self.story.call("get", {"job": "1"}, "unknown", why="no answer")
        self.assert_breach("no-answer")

    def test_an_error_that_nothing_explains_is_unexpected(self):
        self.story.push("a", phase="rejected", code="BADREQ", text="BADREQ")
        self.assert_breach("unexpected-error")


class Leases(CheckerTest):
    def ran_twice(self, seconds, **later):
        self.story.push("a", "1", backoff_min_ms=500)
        self.story.lease("a", "1", fence=1)
        self.story.pass_time(seconds)
        self.story.lease("a", "1", fence=2, **later)
        self.story.record("a", "1", fence=2)

    def test_a_second_lease_without_a_reason_is_an_unexplained_duplicate(self):
        self.ran_twice(0.1)
        self.assert_breach("unexplained-duplicate")

    def test_a_beat_keeps_the_lease(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1)
        self.story.pass_time(0.8)
        self.story.call("beat", {"leases": [{"job": "1", "token": "1/1"}]}, lost=[], cancel=[])
        self.story.pass_time(0.8)
        self.story.lease("a", "1", fence=2)
        self.assert_breach("unexplained-duplicate")

    def test_one_fence_twice_is_an_overlap(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1)
        self.story.lease("a", "1", fence=1, token="other")
        self.assert_breach("overlapping-leases")

    def test_a_lease_after_an_acked_ack_is_a_run_after_ack(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1)
        self.story.end("ack", "1", fence=1)
        self.story.pass_time(LEASE_MS / 1000)
        self.story.lease("a", "1", fence=2)
        self.assert_breach("run-after-ack")

    def test_a_lease_after_a_final_failure_is_a_run_after_ack(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1)
        self.story.end("fail", "1", fence=1, state="dead", attempt=4)
        self.story.lease("a", "1", fence=2)
        self.assert_breach("run-after-ack")

    def test_a_lease_after_a_finished_job_was_read_is_a_run_after_ack(self):
        self.story.push("a", "1")
        self.story.call("get", {"job": "1"}, record={"state": "succeeded", "fence": 1,
                                                     "attempt": 1, "generation": 1})
        self.story.lease("a", "1", fence=2)
        self.assert_breach("run-after-ack")

    def test_an_old_token_that_acks_is_stale(self):
        self.ran_twice(LEASE_MS / 1000)
        self.story.end("ack", "1", fence=1)
        self.assert_breach("stale-token")

    def test_an_old_token_that_is_renewed_is_stale(self):
        self.ran_twice(LEASE_MS / 1000)
        self.story.call("progress", {"job": "1", "token": "1/1"}, lease_ms=1)
        self.assert_breach("stale-token")

    def test_the_token_of_another_job_that_acks_is_stale(self):
        self.story.whole("a", "1")
        self.story.push("b", "2")
        self.story.call("ack", {"job": "2", "token": "1/1", "result": "foreign"})
        self.assert_breach("stale-token")

    def test_an_attempt_above_the_budget_is_one_too_many(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=5, attempt=5)
        self.assert_breach("too-many-attempts")

    def test_a_lost_lease_that_cost_no_attempt_is_reported(self):
        self.ran_twice(LEASE_MS / 1000, attempt=1)
        self.assert_breach("attempt-not-counted")

    def test_a_retry_before_its_backoff_is_early(self):
        self.story.push("a", "1", backoff_min_ms=500)
        self.story.lease("a", "1", fence=1)
        self.story.end("fail", "1", fence=1, state="scheduled", attempt=1)
        self.story.lease("a", "1", fence=2)
        self.assert_breach("early")

    def test_a_lease_before_the_delay_is_early(self):
        self.story.push("a", "1", delay_ms=500)
        self.story.lease("a", "1")
        self.assert_breach("early")

    def test_a_lease_before_its_wall_time_is_early(self):
        self.story.push("a", "1", at_ms=1_002_000)
        self.story.lease("a", "1")
        self.assert_breach("early")

    def test_a_lease_after_cancel_is_reported(self):
        self.story.push("a", "1")
        self.story.verb("cancel", "1")
        self.story.lease("a", "1")
        self.assert_breach("run-after-cancel")

    def test_a_cancelled_job_that_succeeds_is_reported(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        self.story.verb("cancel", "1")
        self.story.end("ack", "1")
        self.story.record("a", "1")
        self.assert_breach("run-after-cancel")

    def test_an_ack_that_is_refused_when_repeated_changed_its_answer(self):
        self.story.whole("a", "1")
        self.story.end("ack", "1", phase="rejected", code="LEASELOST")
        self.assert_breach("answer-changed")

    def test_a_failure_that_is_answered_otherwise_changed_its_answer(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        self.story.end("fail", "1", state="scheduled", attempt=1)
        self.story.end("fail", "1", state="dead", attempt=1)
        self.assert_breach("answer-changed")

    def test_an_ack_that_was_applied_but_refused_changed_its_answer(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        self.story.end("ack", "1", phase="unknown")
        self.story.pass_time(2)
        self.story.end("ack", "1", phase="rejected", code="LEASELOST")
        self.story.record("a", "1")
        self.assert_breach("answer-changed")

    def test_a_valid_lease_that_is_refused_was_lost_early(self):
        self.story.push("a", "1")
        self.story.lease("a", "1")
        self.story.end("ack", "1", phase="rejected", code="LEASELOST")
        self.assert_breach("lease-lost-early")

    def test_a_suspect_in_company_is_reported(self):
        history = [{"fence": fence, "outcome": "lost", "attempt": fence, "generation": 1}
                   for fence in (1, 2)]
        history.append({"fence": 3, "outcome": "succeeded", "attempt": 3, "generation": 1})
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=3, holding=1)
        self.story.end("ack", "1", fence=3)
        self.story.record("a", "1", fence=3, history=history)
        self.assert_breach("suspect-in-company")


class Queues(CheckerTest):
    def test_a_younger_job_that_came_first_is_out_of_order(self):
        self.story.push("a", "1")
        self.story.push("b", "2")
        self.story.lease("b", "2")
        self.story.lease("a", "1")
        self.assert_breach("out-of-order")

    def test_a_lower_priority_that_came_first_is_out_of_order(self):
        self.story.push("low", "1", priority=1)
        self.story.push("high", "2", priority=9)
        self.story.lease("low", "1")
        self.story.lease("high", "2")
        self.assert_breach("out-of-order")

    def test_a_lease_in_a_paused_queue_is_reported(self):
        self.story.push("a", "1")
        self.story.call("pause", {"queue": "work"})
        self.story.lease("a", "1")
        self.story.call("resume", {"queue": "work"})
        self.assert_breach("run-in-pause")

    def test_a_lease_after_the_pause_is_clean(self):
        self.story.push("a", "1")
        self.story.call("pause", {"queue": "work"})
        self.story.call("resume", {"queue": "work"}, "unknown")
        self.story.lease("a", "1")
        self.story.end("ack", "1")
        self.story.record("a", "1")
        self.assert_clean()

    def test_counts_that_do_not_add_up_are_not_conserved(self):
        self.story.whole("a", "1")
        self.story.counts(pushed=3)
        self.assert_breach("not-conserved")

    def test_more_leases_than_counted_are_not_conserved(self):
        self.story.push("a", "1")
        self.story.lease("a", "1", fence=1)
        self.story.end("release", "1", fence=1)
        self.story.lease("a", "1", fence=2, attempt=1)
        self.story.end("ack", "1", fence=2)
        self.story.record("a", "1", fence=2)
        self.story.counts(started=1)
        self.assert_breach("not-conserved")

    def test_a_start_that_was_refused_is_reported(self):
        self.story.whole("a", "1")
        self.story.event("start_refused", exit=65, text="at its start")
        self.assert_breach("start-refused")

    def test_an_exit_that_was_not_asked_for_is_reported(self):
        self.story.whole("a", "1")
        self.story.event("bad_exit", exit=134, text="while it served")
        self.assert_breach("bad-exit")


def verdict(found, missing):
    with contextlib.redirect_stdout(io.StringIO()):
        return checker.report(found, Counter(), missing)


class Validity(CheckerTest):
    def test_a_run_in_which_nothing_happened_proves_nothing(self):
        self.story.whole("a", "1")
        seen = vacuity.count(Evidence(self.story.finished()))
        self.assertTrue(vacuity.shortfalls(seen))
        self.assertEqual(verdict([], ["enqueues"]), checker.INVALID)

    def test_faults_that_had_no_effect_prove_nothing(self):
        seen = Counter(vacuity.MINIMA)
        seen.update({"faults": 10, "faults that took effect": 7, "kills": 10, "kills in flight": 9})
        self.assertEqual(len(vacuity.shortfalls(seen)), 1)

    def test_idle_kills_prove_nothing(self):
        seen = Counter(vacuity.MINIMA)
        seen.update({"faults": 10, "faults that took effect": 9, "kills": 10, "kills in flight": 2})
        self.assertEqual(len(vacuity.shortfalls(seen)), 1)

    def test_a_busy_run_is_valid(self):
        seen = Counter(vacuity.MINIMA)
        seen.update({"faults": 10, "faults that took effect": 9, "kills": 10, "kills in flight": 4})
        self.assertEqual(vacuity.shortfalls(seen), [])

    def test_a_kill_with_an_unanswered_call_is_in_flight(self):
        self.story.call("push", self.story.spec("a"), "unknown", why="reset")
        self.story.event("kill", took_effect=True, started=0.5, moment=1.005, ready=True,
                         segments_trimmed=0)
        seen = vacuity.count(Evidence(self.story.finished()))
        self.assertEqual(seen["kills in flight"], 1)

    def test_most_kills_come_in_a_burst_whatever_the_seed(self):
        for seed in range(50):
            for faults in (plan_power(seed, 10), plan_kills(seed, 30)):
                kills = [fault for fault in faults if fault.op != "term"]
                bursts = sum(fault.burst_part is not None for fault in kills)
                self.assertEqual(bursts * 10, len(kills) * 7)

    def test_a_breach_weighs_more_than_a_shortfall(self):
        self.assertEqual(verdict([("lost", "a")], ["enqueues"]), checker.FAIL)


if __name__ == "__main__":
    unittest.main()
