// A Dray of the tests: answers JOB.PUSH, JOB.FETCH and JOB.ACK with the wire shapes of the real
// server, from memory, and checks what the loader asks.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace load {

// Time is an argument, so that delays and waiting fetches are exact. A connection is a number.
class DrayStub {
 public:
  // Takes bytes of a connection. Whole requests are executed; the rest is kept.
  void receive(uint32_t connection, std::string_view bytes, int64_t now_ms);
  // Makes due jobs ready and feeds waiting fetches.
  void advance(int64_t now_ms);
  // Returns and clears the bytes for a connection.
  std::string take_output(uint32_t connection);

  // The next fetches get at most this many jobs, whatever they ask for.
  void limit_fetches(size_t jobs) { fetch_limit_ = jobs; }
  // The next pushes, this many, are answered OVERLOADED and taken for nothing.
  void refuse_pushes(size_t pushes, int64_t retry_ms) {
    refusals_left_ = pushes;
    retry_ms_ = retry_ms;
  }
  // Hands all args out with another last letter.
  void change_args() { changes_args_ = true; }
  // Forgets the job that would be handed out next.
  void lose_job() { ready_.pop_front(); }
  // Hands every job out again instead of ending it at its ack.
  void forget_acks() { forgets_acks_ = true; }

  size_t ready() const { return ready_.size(); }
  size_t ready_max() const { return ready_max_; }
  uint64_t acked() const { return acked_; }
  uint64_t fetches() const { return fetches_; }

 private:
  struct Job {
    std::string id;
    std::string args;
    std::string token;
  };
  struct Fetch {
    uint32_t connection = 0;
    size_t count = 0;
  };
  using Words = std::vector<std::string_view>;

  void execute(uint32_t connection, const Words& words, int64_t now_ms);
  void push(uint32_t connection, const Words& words, int64_t now_ms);
  void fetch(uint32_t connection, const Words& words);
  void ack(uint32_t connection, const Words& words);
  void make_ready(Job job);
  void lease_jobs(const Fetch& fetch);
  void feed_waiting();

  std::map<uint32_t, std::string> inputs_;
  std::map<uint32_t, std::string> outputs_;
  std::deque<Job> ready_;
  std::multimap<int64_t, Job> scheduled_;
  std::map<std::string, Job, std::less<>> running_;
  std::deque<Fetch> waiting_;
  size_t fetch_limit_ = SIZE_MAX;
  size_t ready_max_ = 0;
  uint64_t pushed_ = 0;
  uint64_t acked_ = 0;
  uint64_t fetches_ = 0;
  size_t refusals_left_ = 0;
  int64_t retry_ms_ = 0;
  bool forgets_acks_ = false;
  bool changes_args_ = false;
};

}  // namespace load
