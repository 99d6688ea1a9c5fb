#include "protocol/command_docs.h"

#include <algorithm>
#include <array>

#include "protocol/text.h"

namespace protocol {
namespace {

constexpr std::array<std::string_view, 9> kTypeNames = {
    "string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block"};

struct FlagName {
  uint8_t flag;
  std::string_view name;
};
constexpr std::array<FlagName, 4> kFlagNames = {{{command_flag::kWrite, "write"},
                                                 {command_flag::kReadonly, "readonly"},
                                                 {command_flag::kBlocking, "blocking"},
                                                 {command_flag::kPreAuth, "no_auth"}}};

std::span<const ArgumentSpec> arguments_of(const CommandSpec& spec) {
  return table::kArguments.subspan(spec.first_argument, spec.argument_count);
}

// The nesting is that of the table, not of any input.
void write_argument(const ArgumentSpec& argument, core::Reply& reply) {
  const size_t mark = reply.map_begin();
  uint32_t pairs = 2;
  reply.bulk("name");
  reply.bulk(argument.name);
  reply.bulk("type");
  reply.bulk(kTypeNames[static_cast<size_t>(argument.type)]);
  if (!argument.token.empty()) {
    ++pairs;
    reply.bulk("token");
    reply.bulk(argument.token);
  }
  if (argument.optional || argument.multiple) {
    ++pairs;
    reply.bulk("flags");
    reply.array(argument.optional && argument.multiple ? 2 : 1);
    if (argument.optional) reply.simple("optional");
    if (argument.multiple) reply.simple("multiple");
  }
  if (argument.child_count != 0) {
    ++pairs;
    reply.bulk("arguments");
    reply.array(argument.child_count);
    for (const ArgumentSpec& child :
         table::kArguments.subspan(argument.first_child, argument.child_count)) {
      write_argument(child, reply);
    }
  }
  reply.close(mark, pairs);
}

void write_docs(const CommandSpec& spec, core::Reply& reply) {
  reply.bulk(lower_case(spec.name));
  reply.map(spec.argument_count == 0 ? 4 : 5);
  reply.bulk("summary");
  reply.bulk(spec.summary);
  reply.bulk("since");
  reply.bulk(spec.since);
  reply.bulk("group");
  reply.bulk(spec.group);
  reply.bulk("complexity");
  reply.bulk(spec.complexity);
  if (spec.argument_count == 0) return;
  reply.bulk("arguments");
  reply.array(spec.argument_count);
  for (const ArgumentSpec& argument : arguments_of(spec)) write_argument(argument, reply);
}

struct KeyRange {
  int64_t first = 0;  // 0: no keys.
  int64_t last = 0;   // -1: the last word.
};

// Keys stand in front, if there are any.
KeyRange keys_of(const CommandSpec& spec) {
  const auto arguments = arguments_of(spec);
  if (arguments.empty() || arguments.front().type != ArgumentType::kKey) return {};
  return {1, arguments.front().multiple ? -1 : 1};
}

void write_info(const CommandSpec& spec, core::Reply& reply) {
  const KeyRange keys = keys_of(spec);
  reply.array(10);
  reply.bulk(lower_case(spec.name));
  reply.integer(spec.arity);
  uint32_t flags = 0;
  for (const FlagName& flag : kFlagNames) flags += spec.has(flag.flag) ? 1 : 0;
  reply.array(flags);
  for (const FlagName& flag : kFlagNames) {
    if (spec.has(flag.flag)) reply.simple(flag.name);
  }
  reply.integer(keys.first);
  reply.integer(keys.last);
  reply.integer(keys.first == 0 ? 0 : 1);
  reply.array(1);
  reply.simple(fmt::format("@{}", spec.group));
  reply.array(0);  // Tips.
  reply.array(0);  // Key specifications.
  reply.array(0);  // Subcommands.
}

uint32_t count_built() {
  return static_cast<uint32_t>(std::count_if(table::kCommands.begin(), table::kCommands.end(),
                                             [](const CommandSpec& spec) { return spec.built; }));
}

template <typename Write>
void write_all_built(Write write, core::Reply& reply) {
  for (const CommandSpec& spec : table::kCommands) {
    if (spec.built) write(spec, reply);
  }
}

const CommandSpec* find_built(std::string_view name) {
  const CommandSpec* spec = find_command(name);
  return spec != nullptr && spec->built ? spec : nullptr;
}

// An entry has kilobytes, and is written for each name.
constexpr size_t kNamesMax = 1'000;

// Names that are not there are left out, as in Redis.
void reply_docs(Arguments names, core::Reply& reply) {
  if (names.empty()) {
    reply.map(count_built());
    write_all_built(write_docs, reply);
    return;
  }
  const size_t mark = reply.map_begin();
  uint32_t found = 0;
  for (const std::string_view name : names) {
    const CommandSpec* spec = find_built(name);
    if (spec == nullptr) continue;
    ++found;
    write_docs(*spec, reply);
  }
  reply.close(mark, found);
}

void reply_info(Arguments names, core::Reply& reply) {
  if (names.empty()) {
    reply.array(count_built());
    write_all_built(write_info, reply);
    return;
  }
  reply.array(static_cast<uint32_t>(names.size()));
  for (const std::string_view name : names) {
    const CommandSpec* spec = find_built(name);
    if (spec == nullptr) {
      reply.nil();
    } else {
      write_info(*spec, reply);
    }
  }
}

void reply_list(core::Reply& reply) {
  reply.array(count_built());
  write_all_built(
      [](const CommandSpec& spec, core::Reply& names) { names.bulk(lower_case(spec.name)); },
      reply);
}

// `words` is the command that is asked about.
void reply_getkeys(Arguments words, core::Reply& reply) {
  const CommandSpec* spec = find_command(words[0]);
  if (spec == nullptr) {
    return reply.error(base::ErrorCode::kErr, "Invalid command specified");
  }
  if (!check_arity(*spec, words)) {
    return reply.error(base::ErrorCode::kErr, "Invalid number of arguments specified for command");
  }
  const KeyRange range = keys_of(*spec);
  if (range.first == 0) {
    return reply.error(base::ErrorCode::kErr, "The command has no key arguments");
  }
  const Arguments keys = words.subspan(1, range.last == -1 ? words.size() - 1 : 1);
  reply.array(static_cast<uint32_t>(keys.size()));
  for (const std::string_view key : keys) reply.bulk(key);
}

}  // namespace

void write_command_reply(Arguments arguments, core::Reply& reply) {
  if (arguments.size() == 1) return reply_info({}, reply);
  const std::string_view subcommand = arguments[1];
  const Arguments rest = arguments.subspan(2);
  const auto is = [subcommand](std::string_view word) {
    return equals_ignoring_case(subcommand, word);
  };
  if ((is("DOCS") || is("INFO")) && rest.size() > kNamesMax) {
    return reply.error(base::ErrorCode::kTooBig,
                       fmt::format("limit={} got={} names: without any, all commands are told",
                                   kNamesMax, rest.size()));
  }
  if (is("DOCS")) return reply_docs(rest, reply);
  if (is("INFO")) return reply_info(rest, reply);
  if (is("COUNT") && rest.empty()) return reply.integer(count_built());
  if (is("LIST") && rest.empty()) return reply_list(reply);
  if (is("GETKEYS") && !rest.empty()) return reply_getkeys(rest, reply);
  if (is("COUNT") || is("LIST") || is("GETKEYS")) {
    return reply.error(
        base::ErrorCode::kErr,
        fmt::format("wrong number of arguments for 'command|{}' command", lower_case(subcommand)));
  }
  reply.error(unknown_subcommand(spec_of(CommandId::kCommand), subcommand));
}

}  // namespace protocol
