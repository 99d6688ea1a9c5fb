#include "core/lifecycle.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace core {
namespace {

// Every cell, turned round and in words: what each event does to a job in each state.
constexpr std::string_view kTable = R"(
event          waiting   scheduled ready     running   succeeded dead      cancelled expired
grant          never     never     running   never     never     never     never     never
undo-grant     never     never     never     ready     never     never     never     never
ack            LEASELOST LEASELOST LEASELOST succeeded LEASELOST LEASELOST LEASELOST LEASELOST
fail-retry     LEASELOST LEASELOST LEASELOST scheduled LEASELOST LEASELOST LEASELOST LEASELOST
fail-retry-now LEASELOST LEASELOST LEASELOST ready     LEASELOST LEASELOST LEASELOST LEASELOST
fail-final     LEASELOST LEASELOST LEASELOST dead      LEASELOST LEASELOST LEASELOST LEASELOST
release        LEASELOST LEASELOST LEASELOST ready     LEASELOST LEASELOST LEASELOST LEASELOST
release-later  LEASELOST LEASELOST LEASELOST scheduled LEASELOST LEASELOST LEASELOST LEASELOST
lose-retry     never     never     never     scheduled never     never     never     never
lose-final     never     never     never     dead      never     never     never     never
end-cancelled  never     never     never     cancelled never     never     never     never
due            never     ready     never     never     never     never     never     never
expire         expired   expired   expired   never     never     never     never     never
cancel         cancelled cancelled cancelled stays     BADSTATE  BADSTATE  stays     BADSTATE
force-cancel   cancelled cancelled cancelled cancelled BADSTATE  BADSTATE  stays     BADSTATE
retry          BADSTATE  BADSTATE  BADSTATE  BADSTATE  ready     ready     ready     ready
replace        waiting   scheduled ready     DUPLICATE DUPLICATE DUPLICATE DUPLICATE DUPLICATE
edit           waiting   scheduled ready     BADSTATE  BADSTATE  BADSTATE  BADSTATE  BADSTATE
delete         ends      ends      ends      BADSTATE  ends      ends      ends      ends
)";

std::string word_of(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kMove:
      return std::string(job_state_name(cell.next));
    case Cell::Kind::kStay:
      return "stays";
    case Cell::Kind::kGone:
      return "ends";
    case Cell::Kind::kRefuse:
      return std::string(base::error_word(cell.refusal));
    case Cell::Kind::kNever:
      return "never";
  }
  return "?";
}

TEST(Lifecycle, EveryCellIsAsItShouldBe) {
  std::istringstream in{std::string(kTable)};
  std::string word;
  in >> word;
  for (size_t state = 0; state < kJobStateCount; ++state) {
    in >> word;
    ASSERT_EQ(word, job_state_name(static_cast<JobState>(state)));
  }
  for (size_t event = 0; event < kEventCount; ++event) {
    in >> word;
    ASSERT_EQ(word, event_name(static_cast<Event>(event)));
    for (size_t state = 0; state < kJobStateCount; ++state) {
      in >> word;
      const Cell cell = lifecycle(static_cast<JobState>(state), static_cast<Event>(event));
      EXPECT_EQ(word_of(cell), word)
          << event_name(static_cast<Event>(event)) << " of a job that is "
          << job_state_name(static_cast<JobState>(state));
    }
  }
  EXPECT_FALSE(in >> word) << "the table has more than the code";
}

TEST(Lifecycle, TextNamesEveryCellOnce) {
  std::istringstream in(lifecycle_text());
  size_t lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    std::istringstream words(line);
    std::string state;
    std::string event;
    std::string what;
    std::string more;
    EXPECT_TRUE(words >> state >> event >> what) << line;
    EXPECT_FALSE(words >> more) << line;
    EXPECT_EQ(state, job_state_name(static_cast<JobState>(lines / kEventCount)));
    EXPECT_EQ(event, event_name(static_cast<Event>(lines % kEventCount)));
  }
  EXPECT_EQ(lines, kJobStateCount * kEventCount);
}

TEST(LifecycleDeathTest, AMoveThatIsNoneIsOurOwnFault) {
  EXPECT_EQ(next_state(JobState::kReady, Event::kGrant), JobState::kRunning);
  EXPECT_DEATH(next_state(JobState::kRunning, Event::kGrant), "running has no grant");
}

}  // namespace
}  // namespace core
