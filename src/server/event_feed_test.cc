#include "server/event_feed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

namespace server {
namespace {

struct Ear : EventListener {
  void event(std::string_view channel, std::string_view json) override {
    heard += std::string(channel) + "=" + std::string(json) + " ";
    if (on_event) on_event();
  }
  void missed(uint64_t events) override { heard += "missed=" + std::to_string(events) + " "; }
  void told() override { heard += "| "; }

  std::string heard;
  std::function<void()> on_event;
};

class EventFeedTest : public testing::Test {
 protected:
  struct Question {
    core::EventRead read;
    std::string cursor;
    EventFeed::Done done;
  };

  // Answers the question under way.
  void answer(std::string_view cursor, const std::vector<std::string>& channels, bool gap = false) {
    core::Reply reply;
    reply.map(gap ? 3 : 2);
    reply.bulk("cursor");
    reply.bulk(cursor);
    if (gap) {
      reply.bulk("gap");
      reply.integer(1);
    }
    reply.bulk("events");
    reply.array(static_cast<uint32_t>(2 * channels.size()));
    for (const std::string& channel : channels) {
      reply.bulk(channel);
      reply.bulk("{}");
    }
    give(reply);
  }
  void give(const core::Reply& reply) {
    const EventFeed::Done done = asked.value().done;
    asked.reset();
    done(reply);
  }

  std::optional<Question> asked;
  std::deque<std::function<void()>> later;
  EventFeed feed{[this](core::CommandBody command, EventFeed::Done done) {
                   EXPECT_FALSE(asked.has_value());
                   const auto& read = std::get<core::EventRead>(command);
                   asked = Question{read, std::string(read.cursor), std::move(done)};
                 },
                 [this](std::function<void()> go_on) { later.push_back(std::move(go_on)); }};
  Ear a;
  Ear b;
};

TEST_F(EventFeedTest, ReadsFromNowOnAndTellsEverybody) {
  EXPECT_FALSE(asked.has_value());
  feed.add(1, a);
  EXPECT_EQ(asked->cursor, "$");
  EXPECT_FALSE(feed.runs());
  answer("1:5", {});
  EXPECT_TRUE(feed.runs());
  EXPECT_EQ(a.heard, "| ");
  EXPECT_EQ(asked->cursor, "1:5");
  EXPECT_TRUE(asked->read.with_channels && asked->read.block_ms.has_value());
  feed.add(2, b);
  answer("1:7", {"x", "y"});
  EXPECT_EQ(a.heard, "| x={} y={} | ");
  EXPECT_EQ(b.heard, "x={} y={} | ");
  EXPECT_EQ(asked->cursor, "1:7");
}

TEST_F(EventFeedTest, RestsWhileNobodyListens) {
  feed.add(1, a);
  answer("1:5", {});
  feed.remove(1);
  answer("1:6", {"x"});
  EXPECT_FALSE(asked.has_value());
  EXPECT_FALSE(feed.runs());
  feed.add(2, b);
  EXPECT_EQ(asked->cursor, "$");
  answer("1:9", {});
  answer("1:10", {"y"});
  EXPECT_EQ(b.heard, "| y={} | ");
}

TEST_F(EventFeedTest, AGapIsToldByItsSize) {
  feed.add(1, a);
  answer("1:5", {});
  answer("1:20", {"x", "y"}, true);
  EXPECT_EQ(a.heard, "| missed=13 x={} y={} | ");
}

TEST_F(EventFeedTest, AListenerMayGoWhileItIsTold) {
  feed.add(1, a);
  feed.add(2, b);
  answer("1:5", {});
  a.on_event = [&] {
    feed.remove(1);
    feed.remove(2);
  };
  answer("1:7", {"x", "y"});
  EXPECT_EQ(a.heard, "| x={} ");
  EXPECT_EQ(b.heard, "| ");
}

TEST_F(EventFeedTest, TellsAFewAtATimeAndAsksWhenAllAreTold) {
  std::deque<Ear> ears(100);
  for (size_t i = 0; i < ears.size(); ++i) feed.add(i, ears[i]);
  const auto told = [&] {
    return std::ranges::count_if(ears, [](const Ear& ear) { return ear.heard.ends_with("| "); });
  };
  const auto go_on = [&] {
    const auto next = later.at(0);
    later.pop_front();
    next();
  };
  answer("1:5", {});
  while (!later.empty()) go_on();
  for (Ear& ear : ears) ear.heard.clear();
  answer("1:7", {"x", "y"});
  EXPECT_GT(told(), 0);
  EXPECT_LT(told(), 10);
  feed.remove(99);
  feed.add(200, a);  // It hears of what comes from now on.
  for (ptrdiff_t before = told(); !later.empty(); before = told()) {
    EXPECT_FALSE(asked.has_value());
    feed.tick();
    go_on();
    EXPECT_LT(told() - before, 10);
  }
  EXPECT_EQ(told(), 99);
  EXPECT_EQ(ears[98].heard, "x={} y={} | ");
  EXPECT_EQ(ears[99].heard, "");
  EXPECT_EQ(a.heard, "");
  EXPECT_EQ(asked->cursor, "1:7");
}

TEST_F(EventFeedTest, AsksAgainWhenThereWasNoRoom) {
  feed.add(1, a);
  answer("1:5", {});
  core::Reply refusal;
  refusal.error(base::ErrorCode::kOverloaded, "retry_ms=100");
  give(refusal);
  EXPECT_FALSE(asked.has_value());
  feed.tick();
  EXPECT_EQ(asked->cursor, "1:5");
  give(refusal);
  feed.stop();
  feed.tick();
  EXPECT_FALSE(asked.has_value());
}

}  // namespace
}  // namespace server
