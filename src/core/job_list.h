// A list of jobs through their own links: a job is on at most one list.
#pragma once

#include "base/assert.h"
#include "core/job.h"

namespace core {

class JobList {
 public:
  bool empty() const { return head_ == nullptr; }
  Job* front() const { return head_; }

  void push_back(Job& job) { insert_before(nullptr, job); }

  // Keeps the list in order of ready_seq. From the front, since what comes back to an old place was
  // taken from the front.
  void insert_by_ready_seq(Job& job) {
    if (tail_ == nullptr || tail_->ready_seq < job.ready_seq) return push_back(job);
    Job* place = head_;
    while (place->ready_seq < job.ready_seq) place = place->link_next;
    insert_before(place, job);
  }

  void remove(Job& job) {
    ASSERT(job.linked, "job {} is on no list", job.id.value);
    (job.link_prev ? job.link_prev->link_next : head_) = job.link_next;
    (job.link_next ? job.link_next->link_prev : tail_) = job.link_prev;
    job.link_prev = job.link_next = nullptr;
    job.linked = false;
  }

 private:
  void insert_before(Job* place, Job& job) {
    ASSERT(!job.linked, "job {} is on a list already", job.id.value);
    job.linked = true;
    job.link_next = place;
    job.link_prev = place ? place->link_prev : tail_;
    (job.link_prev ? job.link_prev->link_next : head_) = &job;
    (place ? place->link_prev : tail_) = &job;
  }

  Job* head_ = nullptr;
  Job* tail_ = nullptr;
};

}  // namespace core
