#include "server/event_feed.h"

#include <gtest/gtest.h>

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
  EventFeed feed{[this](core::CommandBody command, EventFeed::Done done) {
    EXPECT_FALSE(asked.has_value());
    const auto& read = std::get<core::EventRead>(command);
    asked = Question{read, std::string(read.cursor), std::move(done)};
  }};
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
