// Pushes that were seen before: request tokens of applications, and sequence numbers of producers
// (SDKs). Both say which job an earlier push with the same name made.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "core/effect.h"
#include "core/job.h"
#include "core/string_map.h"

namespace core {

// What an earlier push with the same name was answered.
struct PushAnswer {
  JobId id;
  bool created = false;
};

class RequestTokens {
 public:
  std::optional<PushAnswer> find(std::string_view token, base::EngineTime now) const;
  void put(std::string_view token, PushAnswer answer, base::EngineTime until);
  void take_back(std::string_view token);  // As if it had not been put.
  void expire(base::EngineTime now);
  bool full() const { return tokens_.size() >= limits::kRequestTokensMax; }
  size_t size() const { return tokens_.size(); }

  // What the next flush has to write of the tokens.
  struct Put {
    std::string token;
    PushAnswer answer;
    base::EngineTime until;
  };
  struct Changes {
    std::vector<std::string> gone;  // Before what was put.
    std::vector<Put> put;
  };
  Changes take_changes();
  // A token that the tables have.
  void install(std::string_view token, PushAnswer answer, base::EngineTime until);

  size_t bucket_count() const { return tokens_.bucket_count(); }
  template <typename Visit>  // visit(const PushSeen&)
  void for_each_in(size_t bucket_begin, size_t bucket_end, Visit visit) const {
    for (size_t bucket = bucket_begin; bucket < bucket_end; ++bucket) {
      for (auto it = tokens_.begin(bucket); it != tokens_.end(bucket); ++it) {
        const Entry& entry = it->second;
        visit(PushSeen{.id = entry.answer.id,
                       .created = entry.answer.created,
                       .request = it->first,
                       .until = entry.until});
      }
    }
  }

 private:
  struct Entry {
    PushAnswer answer;
    base::EngineTime until;
    uint32_t expiries = 0;  // That point here; the entry outlives them.
    bool in_tables = false;
  };
  struct Expiry {
    base::EngineTime until;
    const std::string* token;  // The map's own key: stays where it is.
    bool operator>(const Expiry& other) const { return until > other.until; }
  };
  StringMap<Entry> tokens_;
  std::priority_queue<Expiry, std::vector<Expiry>, std::greater<>> expiries_;
  Changes changes_;  // Since the last take_changes().
};

class Producers {
 public:
  enum class Seen : uint8_t { kNew, kKnown, kTooOld, kNoRoom };
  struct Answer {
    Seen seen = Seen::kNew;
    PushAnswer push;      // kKnown.
    uint64_t oldest = 0;  // kTooOld: the least number that is still known.
  };

  // Looks a push up. kNoRoom: a new producer, while all that may be held are.
  Answer look_up(std::string_view producer, uint64_t seq) const;
  // The one to forget next, so that there is room for new ones: used longest ago, and not of late.
  // Null: none has to go.
  const std::string* overflow(base::EngineTime now) const;
  void forget(std::string_view producer);
  // Returns when the producer was used last before.
  base::EngineTime put(std::string_view producer, const SeenPush& push, base::EngineTime now);
  // As if it had not been put. Requires: what was put later has been taken back already.
  void take_back(std::string_view producer, uint64_t seq, base::EngineTime used_before);
  void install(const ProducerPut& image);
  size_t size() const { return producers_.size(); }

  // What the next flush has to write: images of the producers that were used, with names that live
  // until the next change, and names of those that were forgotten.
  struct Changes {
    std::vector<std::string> gone;
    std::vector<ProducerPut> put;
  };
  Changes take_changes();

  size_t bucket_count() const { return producers_.bucket_count(); }
  template <typename Visit>  // visit(const ProducerPut&)
  void for_each_in(size_t bucket_begin, size_t bucket_end, Visit visit) const {
    for (size_t bucket = bucket_begin; bucket < bucket_end; ++bucket) {
      for (auto it = producers_.begin(bucket); it != producers_.end(bucket); ++it) {
        const Producer& producer = it->second;
        visit(ProducerPut{
            it->first, producer.used, {producer.window.begin(), producer.window.end()}});
      }
    }
  }

 private:
  struct Producer {
    base::EngineTime used;
    std::deque<SeenPush> window;                    // Ascending by sequence.
    std::list<const std::string*>::iterator place;  // In order_.
    bool changed = false;                           // Named in changed_.
  };

  StringMap<Producer>::iterator find_or_add(std::string_view producer);
  void note_changed(StringMap<Producer>::iterator producer);

  StringMap<Producer> producers_;
  std::list<const std::string*> order_;  // The map's own keys, used longest ago first.
  std::vector<std::string> changed_;     // Since the last take_changes(); some may be gone.
  std::vector<std::string> gone_;
};

}  // namespace core
