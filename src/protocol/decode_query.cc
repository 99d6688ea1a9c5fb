// The commands that look over many jobs, and what becomes of them: LIST, COUNT, WHERE, OP.*,
// EVENT.READ.
#include <array>

#include "base/base32.h"
#include "core/limits.h"
#include "protocol/decode_families.h"
#include "protocol/option_reader.h"
#include "protocol/query_parser.h"

namespace protocol {
namespace {

enum class ListOption : uint8_t { kWhere, kCursor, kCount };
constexpr std::array<std::string_view, 3> kListOptions = {"WHERE", "CURSOR", "COUNT"};
enum class EventOption : uint8_t { kCount, kBlock };
constexpr std::array<std::string_view, 2> kEventOptions = {"COUNT", "BLOCK"};

constexpr std::array<std::string_view, 1> kWhere = {"WHERE"};
constexpr std::array<std::string_view, 1> kBlock = {"BLOCK"};

base::Result<core::JobId> parse_cursor(std::string_view word) {
  const auto id = base::base32_decode_u64(word);
  if (id) return core::JobId{*id};
  return bad_field("CURSOR", "is none that a list answered: leave it out to begin at the newest");
}

base::Status read_list_option(ListOption option, Words& words, core::ListJobs& list) {
  switch (option) {
    case ListOption::kWhere:
      list.query = TRY(parse_query(TRY(words.value("WHERE"))));
      return {};
    case ListOption::kCursor:
      list.cursor = TRY(parse_cursor(TRY(words.value("CURSOR"))));
      return {};
    case ListOption::kCount:
      list.count = TRY(words.integer("COUNT"));
      return {};
  }
  return {};
}

}  // namespace

base::Status read_list(Words& words, core::ListJobs& list) {
  OptionReader options(kListOptions);
  while (!words.empty()) {
    const auto option = static_cast<ListOption>(TRY(options.next(words)));
    TRY(read_list_option(option, words, list));
  }
  return {};
}

base::Status read_count(Words& words, core::CountJobs& count) {
  OptionReader options(kWhere);
  while (!words.empty()) {
    TRY(options.next(words));
    count.query = TRY(parse_query(TRY(words.value("WHERE"))));
  }
  return {};
}

base::Status read_queue_operation(Words& words, core::OperationStart& start) {
  start.queue = words.take();
  start.query.text = fmt::format("queue:{}", start.queue.substr(0, core::limits::kNameBytesMax));
  start.query.terms = {{.field = core::QueryField::kQueue, .texts = {std::string(start.queue)}}};
  return {};
}

base::Status read_operation_wait(Words& words, core::OperationWait& wait) {
  wait.operation = words.take();
  OptionReader options(kBlock);
  while (!words.empty()) {
    TRY(options.next(words));
    wait.block_ms = TRY(words.integer("BLOCK"));
  }
  return options.require(0);
}

base::Status read_event_read(Words& words, core::EventRead& read) {
  read.cursor = words.take();
  OptionReader options(kEventOptions);
  while (!words.empty()) {
    const auto option = static_cast<EventOption>(TRY(options.next(words)));
    if (option == EventOption::kCount) read.count = TRY(words.integer("COUNT"));
    if (option == EventOption::kBlock) read.block_ms = TRY(words.integer("BLOCK"));
  }
  return {};
}

}  // namespace protocol
