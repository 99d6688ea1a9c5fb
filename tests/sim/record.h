// Records in the server's replies: their fields, and what they are in the model's words.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/time.h"
#include "core/state.h"
#include "model/view.h"
#include "protocol/resp_reply_parser.h"

namespace sim {

// A map of texts.
std::map<std::string, std::string> pairs_of(const protocol::RespValue& value);

// The fields of a record; what its command promises must be there. The value must outlive it.
class Record {
 public:
  explicit Record(const protocol::RespValue& value) : value_(value) {
    ASSERT(value.kind == protocol::ValueKind::kMap || value.kind == protocol::ValueKind::kArray,
           "it is no record");
    ASSERT(value.items.size() % 2 == 0, "a field has no value");
  }

  const protocol::RespValue* find(std::string_view field) const { return value_.find(field); }
  const protocol::RespValue& at(std::string_view field) const {
    const protocol::RespValue* value = find(field);
    ASSERT(value != nullptr, "the field {} is absent", field);
    return *value;
  }
  int64_t number(std::string_view field) const {
    const protocol::RespValue& value = at(field);
    ASSERT(value.kind == protocol::ValueKind::kInteger, "{} is no number", field);
    return value.integer;
  }
  std::optional<int64_t> number_if_any(std::string_view field) const {
    return find(field) ? std::optional(number(field)) : std::nullopt;
  }
  const std::string& text(std::string_view field) const {
    const protocol::RespValue& value = at(field);
    ASSERT(value.kind == protocol::ValueKind::kBulk, "{} is no text", field);
    return value.text;
  }
  std::optional<std::string> text_if_any(std::string_view field) const {
    return find(field) ? std::optional(text(field)) : std::nullopt;
  }
  std::vector<std::string> texts(std::string_view field) const {
    std::vector<std::string> texts;
    for (const protocol::RespValue& item : at(field).items) texts.push_back(item.text);
    return texts;
  }
  std::map<std::string, std::string> meta() const { return pairs_of(at("meta")); }

 private:
  const protocol::RespValue& value_;
};

model::State state_named(std::string_view name);
int64_t engine_ms(int64_t unix_ms, base::Now now);

model::GrantView grant_of(const protocol::RespValue& value);
model::WorkerView worker_of(const protocol::RespValue& value);
model::ListedJob listed_of(const protocol::RespValue& value);
model::QueueView queue_of(const protocol::RespValue& value, const std::string& name);
// What the record does not show, or by the calendar alone, is taken from `state`. Requires: the job
// is there.
model::JobView job_of(const Record& record, const core::State& state, base::Now now);

}  // namespace sim
