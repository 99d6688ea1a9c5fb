// What is known of each command, as data: made from commands.json. The table is constant and lives
// as long as the program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/rights.h"
#include "protocol/generated/command_table.h"

namespace protocol {

// By which inbox a command goes to the engine. kLocal: it does not, the server answers.
enum class Lane : uint8_t { kFinish, kFetch, kPush, kRead, kLocal };

namespace command_flag {
inline constexpr uint8_t kWrite = 1;
inline constexpr uint8_t kReadonly = 2;
inline constexpr uint8_t kBlocking = 4;  // May wait, if it is told to.
inline constexpr uint8_t kMulti = 8;     // Allowed between MULTI and EXEC.
inline constexpr uint8_t kPreAuth = 16;  // Allowed before AUTH.
inline constexpr uint8_t kAudit = 32;    // Leaves a line in the audit log.
}  // namespace command_flag

// On what a client must hold a right that the command needs.
enum class AccessOn : uint8_t {
  kNothing,  // Whoever may speak may say it.
  kQueue,    // Each queue that it names.
  kJob,      // The queue of each job that it names.
  kKey,      // Each key that it names; keys are matched as queues are.
  kSome,     // Any queue; the answer shows only those that the right is held on.
  kAll,      // All queues.
};

enum class ArgumentType : uint8_t {
  kString,
  kInteger,
  kDouble,
  kKey,
  kPattern,
  kUnixTime,
  kPureToken,
  kOneof,
  kBlock,
};

struct ArgumentSpec {
  std::string_view name;
  std::string_view token;  // Empty: none.
  ArgumentType type;
  bool optional;
  bool multiple;
  uint16_t first_child;  // Place in the table of arguments.
  uint16_t child_count;
};

struct CommandSpec {
  std::string_view name;  // In capitals.
  CommandId id;
  Lane lane;
  uint8_t flags;
  bool built;         // False: known, answers NOTYET.
  int16_t arity;      // Words with the name; negative: at least so many.
  int16_t words_max;  // 0: its options decide.
  uint16_t first_argument;
  uint16_t argument_count;
  AccessOn access_on;
  core::RightSet need;  // Any one of these.
  std::string_view group;
  std::string_view since;
  std::string_view summary;
  std::string_view complexity;

  bool local() const { return lane == Lane::kLocal; }
  bool has(uint8_t flag) const { return (flags & flag) != 0; }
};

// A key that another job system has in Redis, by how it begins.
struct ForeignKey {
  std::string_view prefix;
  std::string_view system;
};

// The first 16 bytes of a name as two little-endian numbers.
struct NameKey {
  uint64_t low;
  uint64_t high;
  bool operator==(const NameKey&) const = default;
};
// A name's slot is (low * low_factor + high * high_factor) >> shift; no two names share one.
struct NameHash {
  uint64_t low_factor;
  uint64_t high_factor;
  int shift;
};

namespace table {
extern const std::array<CommandSpec, kCommandCount> kCommands;  // By CommandId.
extern const std::span<const ArgumentSpec> kArguments;
extern const std::array<NameKey, kCommandCount> kNameKeys;
extern const NameHash kNameHash;
extern const std::span<const uint8_t> kSlots;             // A place in kCommands, or kCommandCount.
extern const std::span<const std::string_view> kForeign;  // Sorted.
extern const std::span<const ForeignKey> kForeignKeys;
}  // namespace table

inline const CommandSpec& spec_of(CommandId id) {
  return table::kCommands[static_cast<size_t>(id)];
}

}  // namespace protocol
