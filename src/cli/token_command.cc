// dray token create|ls|revoke|rotate: works on the file of the tokens, beside the server.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "auth/token.h"
#include "auth/token_file.h"
#include "base/clock.h"
#include "base/random.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/terminal.h"

namespace cli {
namespace {

using base::ErrorCode;
using Tokens = std::vector<auth::Token>;

int report(const base::Error& error) {
  fmt::print(stderr, "dray: {}\n", printable(error.message));
  if (error.code == ErrorCode::kNotFound) return kExitNotFound;
  return error.code == ErrorCode::kBadReq ? kExitUsage : kExitFailed;
}

base::Result<auth::Token*> find_token(Tokens& tokens, const std::string& id) {
  const auto found = std::ranges::find(tokens, id, &auth::Token::id);
  if (found != tokens.end()) return &*found;
  return base::fail(ErrorCode::kNotFound, "there is no token {}; dray token ls lists them", id);
}

class TokenCommand final : public Command {
 public:
  explicit TokenCommand(CLI::App& app) {
    app.require_subcommand(1);
    add_create(*app.add_subcommand("create", "make a token; prints it, once"));
    add_list(*app.add_subcommand("ls", "list the tokens, without their secrets"));
    add_revoke(*app.add_subcommand("revoke", "end a token; its connections are closed"));
    add_rotate(*app.add_subcommand("rotate", "give a token a new secret beside its old one"));
  }

  int run() override { return action_(); }

 private:
  void add_file(CLI::App& app) {
    auto* const data = app.add_option("--data", data_, "data directory of the server");
    app.add_option("--tokens", file_, "the file itself, where it is elsewhere")->excludes(data);
  }

  void add_create(CLI::App& app) {
    app.add_option("--name", name_, "for people: what will use it")->required();
    app.add_option("--scope", scopes_,
                   "RIGHT:QUEUE, as often as needed; RIGHT is enqueue, work, read or admin, QUEUE "
                   "a name, or its beginning and a *")
        ->required()
        ->type_name("SCOPE");
    add_duration(app, "--expires", expires_,
                 "how long it is good for; without it, until it is ended");
    add_file(app);
    app.callback([this] { action_ = [this] { return create(); }; });
  }

  void add_list(CLI::App& app) {
    add_output(app, is_json_);
    add_file(app);
    app.callback([this] { action_ = [this] { return list(); }; });
  }

  void add_revoke(CLI::App& app) {
    app.add_option("id", id_, "the token's id")->required();
    add_file(app);
    app.callback([this] { action_ = [this] { return revoke(); }; });
  }

  void add_rotate(CLI::App& app) {
    app.add_option("id", id_, "the token's id")->required();
    app.add_flag("--finish", finishes_, "end the old secret instead, once all use the new one");
    add_file(app);
    app.callback([this] { action_ = [this] { return rotate(); }; });
  }

  base::Result<std::string> path() const {
    if (!file_.empty()) return file_;
    if (!data_.empty()) return fmt::format("{}/{}", data_, auth::kTokenFileName);
    return base::fail(ErrorCode::kBadReq,
                      "which server's tokens? Give --data DIR or --tokens FILE");
  }

  base::Status change(const auth::TokenChange& change) const {
    const std::string file = TRY(path());
    return auth::change_token_file(file, change);
  }

  // To stdout goes the token alone, so that a script can take it.
  static void show_once(const std::string& id, const std::string& secret) {
    fmt::print("{}.{}\n", id, secret);
    fmt::print(stderr,
               "      This is shown once: keep it where its user finds it. Clients give it as the "
               "password.\n");
  }

  int create() {
    auth::Token token;
    token.name = name_;
    const base::Status named = auth::check_token_word("name", name_);
    if (!named) return report(named.error());
    for (const std::string& text : scopes_) {
      auto scope = auth::parse_scope(text);
      if (!scope) return report(scope.error());
      token.scopes.push_back(*std::move(scope));
    }
    if (token.scopes.size() > auth::kScopesMax) {
      return report({ErrorCode::kBadReq, fmt::format("field=scope limit={} got={} scopes",
                                                     auth::kScopesMax, token.scopes.size())});
    }
    base::SystemRandom random;
    const base::SystemClock clock;
    token.created = clock.wall();
    if (expires_) token.expires = token.created + *expires_;
    const std::string secret = auth::new_secret(random);
    token.secrets = {auth::sha256(secret)};
    bool is_first = false;
    const base::Status done = change([&](Tokens& tokens) -> base::Status {
      is_first = tokens.empty();
      do {
        token.id = auth::new_id(random);
      } while (find_token(tokens, token.id));
      tokens.push_back(token);
      return {};
    });
    if (!done) return report(done.error());
    show_once(token.id, secret);
    if (is_first) {
      fmt::print(stderr,
                 "      It is the first: from now on the server asks everybody for a token, and "
                 "closes the\n      connections that came without.\n");
    }
    return kExitOk;
  }

  int list() {
    const auto file = path();
    if (!file) return report(file.error());
    const auto tokens = auth::read_token_file(*file);
    if (!tokens) return report(tokens.error());
    const base::SystemClock clock;
    is_json_ ? print_json(*tokens) : print_table(*tokens, clock.wall());
    return kExitOk;
  }

  int revoke() {
    const base::Status done = change([&](Tokens& tokens) -> base::Status {
      TRY(find_token(tokens, id_));
      std::erase_if(tokens, [&](const auth::Token& token) { return token.id == id_; });
      return {};
    });
    if (!done) return report(done.error());
    fmt::print(stderr, "dray: {} is ended; a running server closes its connections now\n", id_);
    return kExitOk;
  }

  int rotate() {
    base::SystemRandom random;
    const std::string secret = auth::new_secret(random);
    const base::Status done = change([&](Tokens& tokens) -> base::Status {
      auth::Token& token = *TRY(find_token(tokens, id_));
      if (finishes_) {
        token.secrets.resize(1);
        return {};
      }
      if (token.secrets.size() >= auth::kSecretsMax) {
        return base::fail(ErrorCode::kBadReq,
                          "{} has two secrets already: end the old one with --finish first", id_);
      }
      token.secrets.insert(token.secrets.begin(), auth::sha256(secret));
      return {};
    });
    if (!done) return report(done.error());
    if (finishes_) {
      fmt::print(stderr, "dray: {} has its newest secret alone now\n", id_);
    } else {
      show_once(id_, secret);
      fmt::print(stderr, "      The old one is good until: dray token rotate {} --finish\n", id_);
    }
    return kExitOk;
  }

  static std::string scopes_of(const auth::Token& token) {
    std::string text;
    for (const auth::Scope& scope : token.scopes) {
      text += (text.empty() ? "" : " ") + auth::scope_text(scope);
    }
    return text;
  }

  static void print_table(const Tokens& tokens, base::WallTime now) {
    Table table({"id", "name", "scopes", "created", "expires", "secrets"});
    for (const auth::Token& token : tokens) {
      const bool is_over = token.expires && *token.expires <= now;
      table.add({token.id, token.name, scopes_of(token), base::rfc3339(token.created),
                 token.expires ? base::rfc3339(*token.expires) : "-",
                 std::to_string(token.secrets.size())},
                {Colour::kNone, Colour::kNone, Colour::kNone, Colour::kNone,
                 is_over ? Colour::kRed : Colour::kNone, Colour::kNone});
    }
    fmt::print("{}", table.text(stdout_is_coloured()));
  }

  static void print_json(const Tokens& tokens) {
    std::string json = "{\"tokens\":[";
    const auto field = [&](std::string_view name, const std::string& value) {
      json += fmt::format("\"{}\":", name);
      append_json_text(value, json);
    };
    for (const auth::Token& token : tokens) {
      json += json.back() == '[' ? "{" : ",{";
      field("id", token.id);
      json += ',';
      field("name", token.name);
      json += ",\"scopes\":[";
      for (const auth::Scope& scope : token.scopes) {
        if (json.back() != '[') json += ',';
        append_json_text(auth::scope_text(scope), json);
      }
      json += "],";
      field("created", base::rfc3339(token.created));
      if (token.expires) {
        json += ',';
        field("expires", base::rfc3339(*token.expires));
      }
      json += fmt::format(",\"secrets\":{}}}", token.secrets.size());
    }
    fmt::print("{}]}}\n", json);
  }

  std::function<int()> action_;
  std::string data_;
  std::string file_;
  std::string name_;
  std::string id_;
  std::vector<std::string> scopes_;
  std::optional<std::chrono::milliseconds> expires_;
  bool finishes_ = false;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_token(CLI::App& app) {
  return std::make_unique<TokenCommand>(app);
}

}  // namespace cli
