#include "server/local_commands.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "protocol/command_docs.h"
#include "protocol/text.h"
#include "server/version.h"

namespace server {

using base::ErrorCode;
using core::Reply;
using protocol::Arguments;
using protocol::CommandId;

namespace {

// What an error shows of a client's own word.
constexpr size_t kShownBytesMax = 128;

bool same_word(std::string_view word, std::string_view capitals) {
  return std::ranges::equal(word, capitals, [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == b;
  });
}

base::Error is_subscribed(const Client& client) {
  return {ErrorCode::kErr,
          fmt::format("this connection is subscribed in the namespace {}: UNSUBSCRIBE first, or "
                      "use another connection",
                      client.shard->name)};
}

constexpr std::string_view kHowToServe =
    "name it in the setting server.namespaces (--namespaces) and start the server again";

// What a login makes of a client.
struct Login {
  auth::PrincipalPtr principal;
  Shard* shard = nullptr;
};

base::Result<Login> find_login(const LocalContext& context, const Client& client,
                               std::string_view name, std::string_view password) {
  auth::PrincipalPtr principal = context.roll.find(name, password, context.clock.wall());
  if (!principal) {
    return base::fail(ErrorCode::kWrongPass, "invalid username-password pair or user is disabled.");
  }
  Shard* const home = find_shard(context.shards, principal->home());
  if (home == nullptr) {
    return base::fail(ErrorCode::kNotFound, "the namespace {} of this token is not served: {}",
                      principal->home(), kHowToServe);
  }
  if (client.stays && home != client.shard) return tl::unexpected(is_subscribed(client));
  return Login{std::move(principal), home};
}

void take_login(Login login, Client& client) {
  client.principal = std::move(login.principal);
  client.authenticated = true;
  client.shard = login.shard;
}

void write_hello(const Client& client, Reply& reply) {
  reply.map(7);
  const auto text = [&](std::string_view field, std::string_view value) {
    reply.bulk(field);
    reply.bulk(value);
  };
  text("server", "dray");
  text("version", kVersion);
  reply.bulk("proto");
  reply.integer(static_cast<int64_t>(client.version));
  reply.bulk("id");
  reply.integer(static_cast<int64_t>(client.id));
  text("mode", "standalone");
  text("role", "master");
  reply.bulk("modules");
  reply.array(0);
}

// Names are shown to people, in lines and between spaces.
bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// Takes a name that a client gives itself. Returns false if it is none.
bool take_name(std::string_view name, std::string& target) {
  constexpr size_t kNameBytesMax = 128;
  if (!is_printable(name) || name.size() > kNameBytesMax) return false;
  target = name;
  return true;
}

constexpr std::string_view kNoName =
    "Client names cannot contain spaces, newlines or special characters.";

void hello(const LocalContext& context, Client& client, Arguments arguments, Reply& reply) {
  protocol::RespVersion version = client.version;
  size_t at = 1;
  if (arguments.size() > at) {
    if (arguments[at] != "2" && arguments[at] != "3") {
      return reply.error(ErrorCode::kNoProto, "unsupported protocol version");
    }
    version = arguments[at] == "3" ? protocol::RespVersion::kResp3 : protocol::RespVersion::kResp2;
    ++at;
  }
  std::string name = client.name;
  std::optional<Login> login;
  while (at < arguments.size()) {
    const size_t left = arguments.size() - at;
    if (same_word(arguments[at], "AUTH") && left >= 3) {
      if (!context.roll.is_public()) {
        auto found = find_login(context, client, arguments[at + 1], arguments[at + 2]);
        if (!found) return reply.error(found.error());
        login = *std::move(found);
      }
      at += 3;
    } else if (same_word(arguments[at], "SETNAME") && left >= 2) {
      if (!take_name(arguments[at + 1], name)) return reply.error(ErrorCode::kErr, kNoName);
      at += 2;
    } else {
      return reply.error(ErrorCode::kErr,
                         fmt::format("Syntax error in HELLO option '{}'",
                                     protocol::printable(arguments[at], kShownBytesMax)));
    }
  }
  if (!client.authenticated && !login) {
    return reply.error(ErrorCode::kNoAuth,
                       "HELLO must be called with the client already authenticated, otherwise the "
                       "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the "
                       "client and select the RESP protocol version at the same time");
  }
  // What failed has left the client as it was before.
  if (login) take_login(*std::move(login), client);
  client.version = version;
  client.name = name;
  write_hello(client, reply);
}

void auth(const LocalContext& context, Client& client, Arguments arguments, Reply& reply) {
  if (context.roll.is_public()) {
    return reply.error(ErrorCode::kErr,
                       "AUTH called without any token configured for the server. Are you sure your "
                       "configuration is correct?");
  }
  const std::string_view name = arguments.size() > 2 ? arguments[1] : std::string_view();
  auto found = find_login(context, client, name, arguments.back());
  if (!found) return reply.error(found.error());
  take_login(*std::move(found), client);
  reply.ok();
}

std::string client_line(const LocalContext& context, const Client& client) {
  const int64_t age_s = (context.clock.wall() - client.connected).count() / 1000;
  return fmt::format(
      "id={} addr={} name={} age={} lib-name={} lib-ver={} resp={} tot-cmds={} "
      "namespace={}\n",
      client.id, client.peer, client.name, age_s, client.library, client.library_version,
      static_cast<int>(client.version), client.commands, client.shard->name);
}

void client_set_info(Client& client, Arguments arguments, Reply& reply) {
  if (arguments.size() != 4) {
    return reply.error(ErrorCode::kErr, "wrong number of arguments for 'client|setinfo' command");
  }
  const bool is_name = same_word(arguments[2], "LIB-NAME");
  if (!is_name && !same_word(arguments[2], "LIB-VER")) {
    return reply.error(
        ErrorCode::kErr,
        fmt::format("Unrecognized option '{}'", protocol::printable(arguments[2], kShownBytesMax)));
  }
  if (take_name(arguments[3], is_name ? client.library : client.library_version)) return reply.ok();
  reply.error(ErrorCode::kErr,
              fmt::format("lib-{} cannot contain spaces, newlines or special characters.",
                          is_name ? "name" : "ver"));
}

void client_command(const LocalContext& context, Client& client, const protocol::CommandSpec& spec,
                    Arguments arguments, Reply& reply) {
  const std::string_view sub = arguments[1];
  if (same_word(sub, "ID")) return reply.integer(static_cast<int64_t>(client.id));
  if (same_word(sub, "GETNAME")) {
    return client.name.empty() ? reply.nil() : reply.bulk(client.name);
  }
  if (same_word(sub, "SETNAME") && arguments.size() == 3) {
    if (!take_name(arguments[2], client.name)) return reply.error(ErrorCode::kErr, kNoName);
    return reply.ok();
  }
  if (same_word(sub, "SETINFO")) return client_set_info(client, arguments, reply);
  if (same_word(sub, "INFO")) return reply.bulk(client_line(context, client));
  if (same_word(sub, "LIST")) return reply.bulk(client_line(context, client));
  if (same_word(sub, "NO-EVICT") || same_word(sub, "NO-TOUCH")) return reply.ok();
  reply.error(protocol::unknown_subcommand(spec, sub));
}

// Matches * and ? only, without recursion: the work is bounded by the product of the lengths.
bool glob_matches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

void config(const protocol::CommandSpec& spec, Arguments arguments, Reply& reply) {
  // What clients and redis-benchmark ask a Redis for, as true of Dray.
  static constexpr std::pair<std::string_view, std::string_view> kSettings[] = {
      {"appendfsync", "always"}, {"appendonly", "yes"}, {"databases", "1"},
      {"maxmemory", "0"},        {"save", ""},
  };
  if (!same_word(arguments[1], "GET") || arguments.size() < 3) {
    return reply.error(protocol::unknown_subcommand(spec, arguments[1]));
  }
  constexpr size_t kPatternBytesMax = 128;
  uint32_t pairs = 0;
  const size_t mark = reply.map_begin();
  for (const auto& [name, value] : kSettings) {
    const auto wanted = [&](std::string_view pattern) {
      return pattern.size() <= kPatternBytesMax && glob_matches(pattern, name);
    };
    if (!std::ranges::any_of(arguments.subspan(2), wanted)) continue;
    reply.bulk(name);
    reply.bulk(value);
    ++pairs;
  }
  reply.close(mark, pairs);
}

void time_command(const LocalContext& context, Reply& reply) {
  const int64_t now_ms = context.clock.wall().ms;
  reply.array(2);
  reply.bulk(std::to_string(now_ms / 1000));
  reply.bulk(std::to_string(now_ms % 1000 * 1000));
}

// Whether the token may is asked before whether there is one: of others' it learns nothing.
void select(const LocalContext& context, Client& client, Arguments arguments, Reply& reply) {
  const std::string_view name = arguments[1] == "0" ? auth::kDefaultNamespace : arguments[1];
  const std::string shown = protocol::printable(name, kShownBytesMax);
  if (client.principal && !client.principal->may_enter(name)) {
    return reply.error(ErrorCode::kNoPerm,
                       fmt::format("namespace={} this token is for {}: use another token, or make "
                                   "one for it (dray token create --namespace)",
                                   shown, client.principal->job_namespace));
  }
  Shard* const shard = find_shard(context.shards, name);
  if (shard == nullptr) {
    const bool is_index = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    // In the words that clients of Redis know.
    if (is_index) {
      return reply.error(ErrorCode::kErr,
                         "DB index is out of range: 0 is the default namespace, all others have "
                         "names (setting server.namespaces)");
    }
    return reply.error(ErrorCode::kNotFound,
                       fmt::format("the namespace {} is not served: {}", shown, kHowToServe));
  }
  if (client.stays && shard != client.shard) return reply.error(is_subscribed(client));
  client.shard = shard;
  reply.ok();
}

void list_namespaces(const LocalContext& context, const Client& client, Reply& reply) {
  uint32_t listed = 0;
  const size_t mark = reply.array_begin();
  for (const auto& shard : context.shards) {
    if (client.principal && !client.principal->may_enter(shard->name)) continue;
    const engine::EngineCounters& counters = shard->engine->counters();
    reply.map(4);
    reply.bulk("name");
    reply.bulk(shard->name);
    const auto number = [&](std::string_view field, const std::atomic<uint64_t>& value) {
      reply.bulk(field);
      reply.integer(static_cast<int64_t>(value.load()));
    };
    number("jobs", counters.jobs);
    number("queues", counters.queues);
    number("keys", counters.keys);
    ++listed;
  }
  reply.close(mark, listed);
}

void reset(const LocalContext& context, Client& client, Reply& reply) {
  client.name.clear();
  client.version = protocol::RespVersion::kResp2;
  client.authenticated = context.roll.is_public();
  client.principal.reset();
  client.shard = context.shards.front().get();
  reply.simple("RESET");
}

}  // namespace

namespace {

// The upper end, in microseconds, of what 99 of 100 durations did not exceed; 0 without any.
uint64_t p99_us(const engine::Histogram& histogram) {
  uint64_t all = 0;
  for (size_t i = 0; i < engine::Histogram::kBuckets; ++i) all += histogram.bucket(i);
  uint64_t below = 0;
  for (size_t i = 0; all > 0 && i < engine::Histogram::kBuckets; ++i) {
    below += histogram.bucket(i);
    if (below * 100 >= all * 99) return uint64_t{1} << i;
  }
  return 0;
}

// What `dray doctor` looks at, and nothing else does.
std::string health_text(const LocalContext& context, const Shard& shard,
                        const store::JournalSpace& space) {
  rlimit files{};
  const bool is_known = ::getrlimit(RLIMIT_NOFILE, &files) == 0;
  std::string text =
      fmt::format("# Health\r\nresp_address:{}\r\nauth_required:{}\r\ncommit_p99_us:{}\r\n",
                  context.resp_address, context.roll.is_public() ? 0 : 1,
                  p99_us(shard.engine->counters().commit_seconds));
  if (is_known) text += fmt::format("files_max:{}\r\n", files.rlim_cur);
  // A journal that keeps nothing has no volume.
  if (space.bytes_free != UINT64_MAX)
    text += fmt::format("data_free_bytes:{}\r\n", space.bytes_free);
  return text;
}

}  // namespace

std::string info_text(const LocalContext& context, const Shard& shard) {
  const engine::EngineCounters& engine = shard.engine->counters();
  // Of one that is being reset there is none yet.
  const store::FlusherCounters* flusher =
      shard.is_held ? nullptr : shard.engine->flusher_counters();
  const uint64_t flushes = flusher != nullptr ? flusher->flushes.load() : 0;
  const store::StoreCounters& store = shard.engine->store_counters();
  const store::JournalSpace space = shard.engine->space();
  const int64_t uptime_s = (context.clock.mono() - context.started).count() / 1'000'000'000;
  return fmt::format(
             "# Server\r\nredis_version:7.2.0\r\ndray_version:{}\r\nredis_mode:standalone\r\n"
             "process_id:{}\r\nuptime_in_seconds:{}\r\n"
             "# Clients\r\nconnected_clients:{}\r\nblocked_clients:{}\r\n"
             "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"
             "# "
             "Persistence\r\nloading:0\r\naof_enabled:1\r\njournal_bytes:{}\r\njournal_budget:{}"
             "\r\n"
             "journal_frames:{}\r\nflushes:{}\r\n"
             "# Stats\r\ntotal_commands_processed:{}\r\nturns:{}\r\nstalls:{}\r\n"
             "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"
             "# "
             "Jobs\r\njobs:{}\r\nrecord_bytes:{}\r\nunflushed_bytes:{}\r\ndamaged:{}\r\npushes_"
             "refused_"
             "now:{}\r\nnamespace:{}\r\n",
             kVersion, getpid(), uptime_s, context.connections, engine.waiting.load(),
             space.bytes_used, space.bytes_budget, store.frames.load(), flushes,
             engine.commands.load(), engine.turns.load(), engine.stalls.load(), engine.jobs.load(),
             engine.record_bytes.load(), engine.unflushed_bytes.load(), engine.damaged.load(),
             engine.refusing.load(), shard.name) +
         health_text(context, shard, space);
}

namespace {

void answer(const LocalContext& context, Client& client, const protocol::CommandSpec& spec,
            Arguments arguments, Reply& reply) {
  switch (spec.id) {
    case CommandId::kHello:
      return hello(context, client, arguments, reply);
    case CommandId::kAuth:
      return auth(context, client, arguments, reply);
    case CommandId::kPing:
      return arguments.size() > 1 ? reply.bulk(arguments[1]) : reply.simple("PONG");
    case CommandId::kEcho:
      return reply.bulk(arguments[1]);
    case CommandId::kQuit:
      client.quits = true;
      return reply.ok();
    case CommandId::kReset:
      return reset(context, client, reply);
    case CommandId::kSelect:
      return select(context, client, arguments, reply);
    case CommandId::kClient:
      return client_command(context, client, spec, arguments, reply);
    case CommandId::kCommand:
      return protocol::write_command_reply(arguments, reply);
    case CommandId::kInfo:
      return reply.bulk(info_text(context, *client.shard));
    case CommandId::kConfig:
      return config(spec, arguments, reply);
    case CommandId::kNamespaceList:
      return list_namespaces(context, client, reply);
    case CommandId::kTime:
      return time_command(context, reply);
    case CommandId::kWatch:
      return reply.error(ErrorCode::kErr,
                         "WATCH is not offered: claim a key with ONCE.CLAIM, or push with KEY or "
                         "REQUEST");
    case CommandId::kUnwatch:
      return reply.ok();
    default:
      return reply.error(protocol::not_built(spec.name));
  }
}

// INFO, CLIENT INFO, CLIENT LIST.
bool is_text(const protocol::CommandSpec& spec, Arguments arguments) {
  if (spec.id == CommandId::kInfo) return true;
  return spec.id == CommandId::kClient &&
         (same_word(arguments[1], "INFO") || same_word(arguments[1], "LIST"));
}

}  // namespace

bool answer_local(const LocalContext& context, Client& client, const protocol::CommandSpec& spec,
                  Arguments arguments, Reply& reply) {
  if (const base::Status fits = protocol::check_arity(spec, arguments); !fits) {
    reply.error(fits.error());
    return false;
  }
  answer(context, client, spec, arguments, reply);
  return is_text(spec, arguments);
}

}  // namespace server
