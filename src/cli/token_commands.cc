// dray token create|ls|revoke|rotate: works on the file of the tokens, beside the server.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "auth/token.h"
#include "auth/token_file.h"
#include "base/clock.h"
#include "base/random.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/output.h"
#include "cli/terminal.h"

namespace cli {
namespace {

using base::ErrorCode;
using Tokens = std::vector<auth::Token>;

int report_fault(const base::Error& error) {
  print_error("dray: {}\n", printable(error.message));
  if (error.code == ErrorCode::kNotFound) return kExitNotFound;
  return error.code == ErrorCode::kBadReq ? kExitUsage : kExitFailed;
}

base::Result<auth::Token*> find_token(Tokens& tokens, const std::string& id) {
  const auto found = std::ranges::find(tokens, id, &auth::Token::id);
  if (found != tokens.end()) return &*found;
  return base::fail(ErrorCode::kNotFound, "there is no token {}; dray token ls lists them", id);
}

// What all of them do: find the file of the tokens.
class TokenFileCommand : public Command {
 public:
  explicit TokenFileCommand(CLI::App& app) {
    auto* const data = app.add_option("--data", data_, "data directory of the server");
    app.add_option("--tokens", file_, "the file itself, where it is elsewhere")->excludes(data);
  }

 protected:
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
    print_error(
        "      This is shown once: keep it where its user finds it. Clients give it as the "
        "password.\n");
  }

 private:
  std::string data_;
  std::string file_;
};

class TokenCreateCommand final : public TokenFileCommand {
 public:
  explicit TokenCreateCommand(CLI::App& app) : TokenFileCommand(app) {
    app.add_option("--name", name_, "for people: what will use it")->required();
    app.add_option("--scope", scopes_,
                   "RIGHT:QUEUE, as often as needed; RIGHT is enqueue, work, read or admin, QUEUE "
                   "a name, or its beginning and a *")
        ->required()
        ->type_name("SCOPE");
    app.add_option("--namespace", token_namespace_,
                   "the one namespace that it is for; * for all of them")
        ->default_str(std::string(auth::kDefaultNamespace))
        ->type_name("NAME");
    add_duration(app, "--expires", expires_,
                 "how long it is good for; without it, until it is ended");
    add_example(app,
                "dray token create --data /var/lib/dray --name mailer --scope 'work:emails*' "
                "--expires 90d");
  }

  int run() override {
    const base::SystemClock clock;
    auto token = asked_for(clock.wall());
    if (!token) return report_fault(token.error());
    base::SystemRandom random;
    const std::string secret = auth::new_secret(random);
    token->secrets = {auth::sha256(secret)};
    bool is_first = false;
    const base::Status done = change([&](Tokens& tokens) -> base::Status {
      is_first = tokens.empty();
      do {
        token->id = auth::new_id(random);
      } while (find_token(tokens, token->id));
      tokens.push_back(*token);
      return {};
    });
    if (!done) return report_fault(done.error());
    show_once(token->id, secret);
    if (is_first) {
      print_error(
          "      It is the first: from now on the server asks everybody for a token, and "
          "closes the\n      connections that came without.\n");
    }
    return kExitOk;
  }

 private:
  // The token, yet without an id and a secret.
  base::Result<auth::Token> asked_for(base::WallTime now) const {
    auth::Token token;
    TRY(auth::check_token_word("name", name_));
    token.name = name_;
    for (const std::string& text : scopes_) token.scopes.push_back(TRY(auth::parse_scope(text)));
    if (token.scopes.size() > auth::kScopesMax) {
      return base::fail(ErrorCode::kBadReq, "field=scope limit={} got={} scopes", auth::kScopesMax,
                        token.scopes.size());
    }
    TRY(auth::check_token_namespace(token_namespace_));
    token.job_namespace = token_namespace_;
    token.created = now;
    if (expires_) token.expires = now + *expires_;
    return token;
  }

  std::string name_;
  std::vector<std::string> scopes_;
  std::string token_namespace_{auth::kDefaultNamespace};
  std::optional<std::chrono::milliseconds> expires_;
};

class TokenListCommand final : public TokenFileCommand {
 public:
  explicit TokenListCommand(CLI::App& app) : TokenFileCommand(app) {
    add_output(app, form_);
    add_example(app, "dray token ls --data /var/lib/dray");
  }

  int run() override {
    const auto file = path();
    if (!file) return report_fault(file.error());
    const auto tokens = auth::read_token_file(*file);
    if (!tokens) return report_fault(tokens.error());
    const base::SystemClock clock;
    Listing listing(
        "tokens",
        {{"id"}, {"name"}, {"namespace"}, {"scopes"}, {"created"}, {"expires"}, {"secrets"}});
    for (const auth::Token& token : *tokens) listing.add(cells(token, clock.wall()), json(token));
    listing.print(form_);
    return kExitOk;
  }

 private:
  static std::vector<Cell> cells(const auth::Token& token, base::WallTime now) {
    std::string scopes;
    for (const auth::Scope& scope : token.scopes) {
      scopes += (scopes.empty() ? "" : " ") + auth::scope_text(scope);
    }
    const bool is_over = token.expires && *token.expires <= now;
    return {{token.id},
            {token.name},
            {token.job_namespace},
            {scopes},
            {base::rfc3339(token.created)},
            {token.expires ? base::rfc3339(*token.expires) : "-",
             is_over ? Colour::kRed : Colour::kNone},
            {std::to_string(token.secrets.size())}};
  }

  static std::string json(const auth::Token& token) {
    std::string json = "{";
    const auto field = [&](std::string_view name, const std::string& value) {
      json += fmt::format("\"{}\":", name);
      append_json_text(value, json);
      json += ',';
    };
    field("id", token.id);
    field("name", token.name);
    field("namespace", token.job_namespace);
    json += "\"scopes\":[";
    for (const auth::Scope& scope : token.scopes) {
      if (json.back() != '[') json += ',';
      append_json_text(auth::scope_text(scope), json);
    }
    json += "],";
    field("created", base::rfc3339(token.created));
    if (token.expires) field("expires", base::rfc3339(*token.expires));
    return json + fmt::format("\"secrets\":{}}}", token.secrets.size());
  }

  Form form_ = Form::kTable;
};

class TokenRevokeCommand final : public TokenFileCommand {
 public:
  explicit TokenRevokeCommand(CLI::App& app) : TokenFileCommand(app) {
    app.add_option("id", id_, "the token's id")->required();
    add_example(app, "dray token revoke --data /var/lib/dray k7m2p9x4ab");
  }

  int run() override {
    const base::Status done = change([&](Tokens& tokens) -> base::Status {
      TRY(find_token(tokens, id_));
      std::erase_if(tokens, [&](const auth::Token& token) { return token.id == id_; });
      return {};
    });
    if (!done) return report_fault(done.error());
    print_error("dray: {} is ended; a running server closes its connections now\n", id_);
    return kExitOk;
  }

 private:
  std::string id_;
};

class TokenRotateCommand final : public TokenFileCommand {
 public:
  explicit TokenRotateCommand(CLI::App& app) : TokenFileCommand(app) {
    app.add_option("id", id_, "the token's id")->required();
    app.add_flag("--finish", finishes_, "end the old secret instead, once all use the new one");
    add_example(app, "dray token rotate --data /var/lib/dray k7m2p9x4ab");
  }

  int run() override {
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
    if (!done) return report_fault(done.error());
    if (finishes_) {
      print_error("dray: {} has its newest secret alone now\n", id_);
    } else {
      show_once(id_, secret);
      print_error("      The old one is good until: dray token rotate {} --finish\n", id_);
    }
    return kExitOk;
  }

 private:
  std::string id_;
  bool finishes_ = false;
};

}  // namespace

void add_token_commands(CommandSet& commands, CLI::App& app) {
  CLI::App& group =
      CommandSet::add_group(app, "token", "make, list, rotate and revoke the tokens of a server");
  commands.add(group, "create", "make a token; prints it, once",
               [](CLI::App& sub) { return std::make_unique<TokenCreateCommand>(sub); });
  commands.add(group, "ls", "list the tokens, without their secrets",
               [](CLI::App& sub) { return std::make_unique<TokenListCommand>(sub); });
  commands.add(group, "revoke", "end a token; its connections are closed",
               [](CLI::App& sub) { return std::make_unique<TokenRevokeCommand>(sub); });
  commands.add(group, "rotate", "give a token a new secret beside its old one",
               [](CLI::App& sub) { return std::make_unique<TokenRotateCommand>(sub); });
}

}  // namespace cli
