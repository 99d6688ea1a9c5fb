// What a run of `dray bench` measured.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// How long single calls took, in microseconds. They come from several processes, as text.
class Latencies {
 public:
  void add(int64_t us) { us_.push_back(us); }
  // One number a line.
  std::string text() const;
  // Takes what another's text() says; false when it is none.
  bool take(std::string_view text);

  size_t count() const { return us_.size(); }
  // The smallest that `percent` of all do not exceed; 0 when there are none.
  int64_t percentile_us(double percent) const;

 private:
  std::vector<int64_t> us_;
};

struct Measurement {
  std::string name;
  int64_t jobs = 0;
  int64_t ns = 0;
  Latencies latencies = {};  // May be empty.

  double jobs_per_second() const;
};

}  // namespace cli
