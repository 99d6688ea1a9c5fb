#include "repair/tables_picker.h"

#include <fmt/format.h>

#include <utility>

#include "store/effect_codec.h"
#include "store/job_codec.h"

namespace repair {
namespace {

using base::ErrorCode;

// Where pages are damaged, all that the tables' log holds is brought into the file, in memory.
constexpr uint64_t kPickBytesMax = uint64_t{1} << 30U;

// The number in a side record's key: big-endian, behind the letter.
uint64_t number_in(std::string_view key) {
  uint64_t number = 0;
  for (const char c : key.substr(1)) number = (number << 8U) | static_cast<uint8_t>(c);
  return number;
}

}  // namespace

TablesPicker::TablesPicker(store::FileSystem& files, const std::string& directory, Account& account)
    : calls_(files.calls(), kPickBytesMax),
      files_(calls_),
      tables_(files_, directory),
      account_(account) {}

base::Status TablesPicker::pick(const EffectVisitor& visit) {
  const base::Status opened = tables_.open();
  if (!opened && opened.error().code == ErrorCode::kNotFound) return {};
  if (!opened && opened.error().code == ErrorCode::kCorrupt) {
    account_.unread.push_back(opened.error().message);
    account_.tables_lost = true;
    return {};
  }
  TRY(opened);
  const auto applied = tables_.applied_seq();
  if (!applied) {
    account_.unread.emplace_back(
        "tables.db: table meta: up to which frame the tables go is not known");
  }
  applied_seq_ = applied.value_or(0);
  const store::DamageVisitor lost = [&](const base::Error& error) {
    account_.unread.push_back(error.message);
    account_.records_lost += 1;
  };
  TRY(tables_.side(
      [&](std::string_view key, std::string_view value) { return take_side(key, value, visit); },
      lost));
  return tables_.rows(
      [&](core::JobId id, const base::Result<store::JobRow>& row) {
        return take_row(id, row, visit);
      },
      lost);
}

base::Status TablesPicker::take_side(std::string_view key, std::string_view value,
                                     const EffectVisitor& visit) {
  if (key[0] == 't') {
    names_[{'t', number_in(key)}] = value;
    return {};
  }
  return store::decode_effects(value, [&](core::Effect&& effect, base::Now now) {
    now_ = now;
    if (const auto* queue = std::get_if<core::QueuePut>(&effect)) {
      names_[{'q', number_in(key)}] = queue->name;
    }
    return visit(std::move(effect), now);
  });
}

// A job whose queue or type has lost its name gets one that says so: it is better than no job.
const std::string& TablesPicker::name_of(char kind, uint32_t code) {
  std::string& name = names_[{kind, code}];
  if (!name.empty()) return name;
  name = fmt::format("salvaged-{}-{}", kind == 'q' ? "queue" : "type", code);
  account_.unread.push_back(fmt::format("the name of a {} is lost; its jobs are in '{}'",
                                        kind == 'q' ? "queue" : "type", name));
  account_.records_lost += 1;
  return name;
}

base::Status TablesPicker::take_row(core::JobId id, const base::Result<store::JobRow>& row,
                                    const EffectVisitor& visit) {
  auto record = row ? store::decode_row(*row) : tl::unexpected(row.error());
  if (!record) {
    account_.unread.push_back(record.error().message);
    account_.rows_lost += 1;
    return {};
  }
  const store::JobHeader& header = row->header;
  core::JobPut put;
  put.why = core::JobPut::Why::kImage;
  put.job.id = id;
  put.job.state = header.state;
  put.job.priority = header.priority & core::kPriorityMask;
  put.job.set_ready_seq(header.ready_seq);
  put.job.record = *std::move(record);
  put.queue = name_of('q', header.queue);
  put.type = name_of('t', header.type);
  account_.rows_read += 1;
  return visit(std::move(put), now_);
}

}  // namespace repair
