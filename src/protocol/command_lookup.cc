#include "protocol/command_lookup.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "protocol/text.h"

namespace protocol {
namespace {

static_assert(std::endian::native == std::endian::little, "NameKey is made for little-endian");

// How many words of a request are looked at for a foreign key, and are shown of an unknown command.
constexpr size_t kWordsLookedAt = 16;
constexpr size_t kShownBytesMax = 128;

// Makes capitals of the ASCII letters among eight bytes.
constexpr uint64_t upper_bytes(uint64_t bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  const uint64_t low_bits = bytes & (kOnes * 0x7f);
  const uint64_t from_a = low_bits + kOnes * (0x80 - 'a');
  const uint64_t above_z = low_bits + kOnes * (0x7f - 'z');
  const uint64_t is_lower = ~bytes & (from_a ^ above_z) & (kOnes * 0x80);
  return bytes ^ (is_lower >> 2);
}

bool is_foreign(std::string_view name) {
  return std::any_of(table::kForeign.begin(), table::kForeign.end(),
                     [name](std::string_view word) { return equals_ignoring_case(word, name); });
}

// Redis Cluster users put braces around a part of their keys.
const ForeignKey* foreign_key(Arguments words) {
  for (std::string_view word : words.first(std::min(words.size(), kWordsLookedAt))) {
    if (word.starts_with('{')) word.remove_prefix(1);
    for (const ForeignKey& key : table::kForeignKeys) {
      if (word.starts_with(key.prefix)) return &key;
    }
  }
  return nullptr;
}

base::Error error(std::string message) {
  return base::Error{base::ErrorCode::kErr, std::move(message)};
}

}  // namespace

const CommandSpec* find_command(std::string_view name) {
  NameKey key{};
  if (name.size() > sizeof key) return nullptr;
  std::memcpy(&key, name.data(), name.size());
  key.low = upper_bytes(key.low);
  key.high = upper_bytes(key.high);
  const NameHash& hash = table::kNameHash;
  const uint64_t slot = (key.low * hash.low_factor + key.high * hash.high_factor) >> hash.shift;
  const size_t index = table::kSlots[slot];
  if (index == kCommandCount || key != table::kNameKeys[index]) return nullptr;
  const CommandSpec& spec = table::kCommands[index];
  return spec.name.size() == name.size() ? &spec : nullptr;
}

// What those who expected Redis can do here.
constexpr std::string_view kInstead =
    "Jobs are pushed with JOB.PUSH and taken with JOB.FETCH: COMMAND DOCS lists all commands";

base::Error unknown_command(Arguments arguments) {
  const std::string_view name = arguments[0];
  if (is_foreign(name)) {
    const std::string word = printable(name);
    if (const ForeignKey* key = foreign_key(arguments.subspan(1))) {
      return error(
          fmt::format("dray is not Redis: {} is not a command here, so {} cannot run on "
                      "this port as it is. {}",
                      word, key->system, kInstead));
    }
    return error(
        fmt::format("dray is not Redis: {} is not a command here; BullMQ, Sidekiq, RQ, "
                    "Asynq and Celery cannot run on this port as they are. {}",
                    word, kInstead));
  }
  // Clients look for Redis's words; the arguments may be a job's, or a secret.
  return error(fmt::format("unknown command '{}', with args beginning with: ",
                           printable(name, kShownBytesMax)));
}

base::Error unknown_subcommand(const CommandSpec& spec, std::string_view subcommand) {
  return error(fmt::format("unknown subcommand '{}'. Try COMMAND DOCS {}.",
                           printable(subcommand, kShownBytesMax), spec.name));
}

base::Status check_arity(const CommandSpec& spec, Arguments arguments) {
  const auto words = static_cast<int64_t>(arguments.size());
  const bool fits = spec.arity >= 0 ? words == spec.arity : words >= -spec.arity;
  if (fits && (spec.words_max == 0 || words <= spec.words_max)) [[likely]]
    return {};
  return error(fmt::format("wrong number of arguments for '{}' command", lower_case(spec.name)));
}

base::Error not_built(std::string_view what) {
  return base::Error{base::ErrorCode::kNotYet, fmt::format("{} is known but not built yet", what)};
}

}  // namespace protocol
