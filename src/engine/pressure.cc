#include "engine/pressure.h"

#include <algorithm>

namespace engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kSlow{200};
constexpr seconds kStanding{1};

}  // namespace

Pressure pressure_of(uint64_t used, uint64_t budget) {
  const auto reaches = [&](uint64_t percent) { return used >= budget / 100 * percent; };
  if (reaches(kRedPercent)) return Pressure::kRed;
  if (reaches(kOrangePercent)) return Pressure::kOrange;
  return reaches(kYellowPercent) ? Pressure::kYellow : Pressure::kNone;
}

void CommitWatch::add(std::chrono::nanoseconds took) {
  ++commits_;
  if (took > kSlow) ++slow_;
  quickest_ = std::min(quickest_, took);
}

void CommitWatch::look(base::MonoTime now, std::chrono::nanoseconds oldest) {
  if (now - second_began_ < seconds(1)) return;
  second_began_ = now;
  const bool slow = slow_ * 100 > commits_ || oldest > kSlow;
  const bool stands = commits_ == 0 ? oldest > kStanding : quickest_ > kStanding;
  slow_seconds_ = slow ? std::min(slow_seconds_ + 1, kSeconds) : 0;
  standing_seconds_ = stands ? std::min(standing_seconds_ + 1, kSeconds) : 0;
  commits_ = 0;
  slow_ = 0;
  quickest_ = std::chrono::nanoseconds::max();
}

Pressure CommitWatch::pressure() const {
  if (standing_seconds_ == kSeconds) return Pressure::kOrange;
  return slow_seconds_ == kSeconds ? Pressure::kYellow : Pressure::kNone;
}

}  // namespace engine
