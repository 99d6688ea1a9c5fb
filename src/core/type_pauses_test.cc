// TYPE.PAUSE and TYPE.RESUME, as far as the state goes.
#include "core/type_pauses.h"

#include <gmock/gmock.h>

#include "core/apply_fixture.h"

namespace core {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TypePausesTest : public ApplyFixture {
 protected:
  // The type of the job that the queue gives next; empty: it gives none.
  std::string next(std::string_view queue = "q") {
    const Answer answer = run(fetch_of({queue}));
    if (answer.grants.empty()) return "";
    return state.find(answer.grants[0].first)->type->name;
  }
  std::string stats(std::string_view queue = "q") { return show(QueueStats{queue}); }
};

TEST_F(TypePausesTest, NothingOfAPausedTypeIsGiven) {
  push(spec("q", "bad"));
  push(spec("q", "good"));
  push(spec("r", "bad"));
  EXPECT_EQ(show(TypePause{"bad", "", "it burns"}), "OK");
  EXPECT_EQ(next(), "good");
  EXPECT_EQ(next(), "");
  EXPECT_EQ(next("r"), "");
  EXPECT_THAT(stats(), HasSubstr("paused_types [{type bad in all reason it burns}]"));
  EXPECT_THAT(stats("never-used"), HasSubstr("[{type bad in all reason it burns}]"));
  EXPECT_THAT(stats(), HasSubstr("ready 1")) << "it still counts";
  EXPECT_EQ(show(TypeResume{"bad", ""}), "OK");
  EXPECT_EQ(next(), "bad");
  EXPECT_EQ(next("r"), "bad");
  EXPECT_THAT(stats(), Not(HasSubstr("paused_types")));
}

TEST_F(TypePausesTest, MayBeOfOneQueue) {
  push(spec("q", "bad"));
  push(spec("r", "bad"));
  show(TypePause{"bad", "q", "why"});
  EXPECT_EQ(next(), "");
  EXPECT_EQ(next("r"), "bad");
  EXPECT_THAT(stats(), HasSubstr("[{type bad in queue reason why}]"));
  EXPECT_THAT(stats("r"), Not(HasSubstr("paused_types")));
  show(TypeResume{"bad", "r"});
  EXPECT_EQ(next(), "") << "that was another queue";
  show(TypeResume{"bad", "q"});
  EXPECT_EQ(next(), "bad");
}

TEST_F(TypePausesTest, OneQueueAndAllAreTwoPauses) {
  push(spec("q", "bad"));
  show(TypePause{"bad", "q", ""});
  show(TypePause{"bad", "", ""});
  EXPECT_EQ(state.type_pauses().count(), 2U);
  show(TypeResume{"bad", "q"});
  EXPECT_EQ(next(), "") << "all are paused still";
  show(TypePause{"bad", "q", ""});
  show(TypeResume{"bad", ""});
  EXPECT_EQ(state.type_pauses().count(), 0U) << "without a queue all pauses end";
  EXPECT_EQ(next(), "bad");
}

TEST_F(TypePausesTest, APauseThatIsThereTakesTheNewReason) {
  show(TypePause{"bad", "", "old"});
  show(TypePause{"bad", "", "new"});
  show(TypePause{"bad", "q", "old"});
  show(TypePause{"bad", "q", "new"});
  EXPECT_EQ(state.type_pauses().count(), 2U);
  EXPECT_THAT(stats(), HasSubstr("[{type bad in all reason new} {type bad in queue reason new}]"));
}

TEST_F(TypePausesTest, AJobOfAPausedTypeWakesNobodyUntilItIsResumed) {
  push(spec("q", "bad"));
  show(TypePause{"bad", "", ""});
  state.take_woken();
  push(spec("q", "bad"));
  EXPECT_TRUE(state.take_woken().empty());
  show(TypeResume{"bad", ""});
  EXPECT_EQ(state.take_woken().size(), 1U);
}

TEST_F(TypePausesTest, TypesOfAFetchAreLookedAtToo) {
  push(spec("q", "bad"));
  push(spec("q", "good"));
  show(TypePause{"bad", "", ""});
  Fetch fetch = fetch_of({"q"}, 5);
  fetch.types = {"bad", "good"};
  EXPECT_EQ(run(fetch).grants.size(), 1U);
}

TEST_F(TypePausesTest, WhatChangedIsToldOnce) {
  show(TypePause{"a", "", ""});
  show(TypePause{"a", "q", ""});
  show(TypePause{"b", "q", ""});
  EXPECT_EQ(state.type_pauses().take_changed().size(), 2U);
  EXPECT_TRUE(state.type_pauses().take_changed().empty());
  show(TypeResume{"b", ""});
  EXPECT_EQ(state.type_pauses().take_changed().size(), 1U);
}

TEST_F(TypePausesTest, AreBoundedAndChecked) {
  EXPECT_THAT(show(TypePause{"no name", "", ""}), StartsWith("BADREQ field=type"));
  EXPECT_THAT(show(TypePause{"t", "no name", ""}), StartsWith("BADREQ field=QUEUE"));
  EXPECT_THAT(show(TypePause{"t", "", std::string(300, 'x')}), StartsWith("TOOBIG"));
  EXPECT_EQ(show(TypeResume{"never-seen", ""}), "OK");
  EXPECT_EQ(state.find_type("never-seen"), nullptr);
  for (size_t i = 0; i < limits::kTypePausesMax; ++i) {
    const std::string type = "t" + std::to_string(i);
    ASSERT_EQ(show(TypePause{type, "", ""}), "OK");
  }
  EXPECT_EQ(show(TypePause{"t", "", ""}),
            "QUOTA limit=1000 pauses of types: resume some, or pause queues");
}

}  // namespace
}  // namespace core
