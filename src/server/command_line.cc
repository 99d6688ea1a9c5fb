#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/cli.h"
#include "repair/repair_commands.h"
#include "server/serve.h"
#include "server/version.h"

namespace server {
namespace {

// "host:port", "[::1]:port".
std::string parse_address(const std::string& text, Address& address) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return "give HOST:PORT";
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  unsigned long port = 0;
  const std::string digits = text.substr(colon + 1);
  if (!CLI::detail::lexical_cast(digits, port) || port > 65'535) {
    return "the port is a number from 0 to 65535";
  }
  address = {host, static_cast<uint16_t>(port)};
  return {};
}

void add_guards(CLI::App& serve, ServeOptions& options) {
  serve.add_option("--tokens", options.tokens,
                   "file of the tokens that clients must AUTH with (DATA/tokens.toml, if it is "
                   "there); see dray token");
  serve.add_option("--token-file", options.token_file,
                   "file with one token that may do everything (mode 0600)");
  serve.add_option("--tls-cert", options.tls.certificate,
                   "certificate chain in PEM: both addresses speak TLS only");
  serve.add_option("--tls-key", options.tls.key, "its private key in PEM (mode 0600)");
  serve.add_option("--tls-client-ca", options.tls.client_ca,
                   "clients must show a certificate of this authority");
  serve.add_flag("--insecure-i-know", options.insecure_i_know,
                 "listen without tokens or TLS where other machines can reach it");
}

void add_serve(CLI::App& app, ServeOptions& options) {
  CLI::App* serve = app.add_subcommand("serve", "run the server");
  serve->add_option("--data", options.data, "data directory; made if it is not there")->required();
  const auto address = [&](const char* name, const char* help, Address& target) {
    serve
        ->add_option_function<std::string>(
            name, [](const std::string&) {}, help)
        ->type_name("IP:PORT")
        ->check([&target](const std::string& text) { return parse_address(text, target); });
  };
  address("--resp", "address for workers and clients (127.0.0.1:3729)", options.resp);
  address("--http", "address for health and metrics (127.0.0.1:3730)", options.http);
  add_guards(*serve, options);
  serve
      ->add_option("--journal-budget", options.journal_budget_bytes,
                   "what the journal may take on disk")
      ->transform(CLI::AsSizeValue(false))
      ->default_str("4GiB");
  serve
      ->add_option("--journal-segment", options.journal_segment_bytes,
                   "size of one journal file; 0: by the size of the volume")
      ->transform(CLI::AsSizeValue(false));
  serve->add_flag("--allow-volatile", options.allow_volatile,
                  "serve from a volume that may not keep what it was given (tmpfs, NFS, overlay)");
  serve
      ->add_option("--audit-every", options.audit_seconds,
                   "seconds between two recounts of all jobs, with a look at all tables")
      ->check(CLI::Range(1, 86'400))
      ->default_str("3600");
  serve
      ->add_option_function<std::string>(
          "--log-level",
          [&options](const std::string& level) { options.log_level = *base::log_level(level); },
          "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->default_str("info");
  serve->add_option("--journal", options.journal, "files, or null to keep nothing (benchmarks)")
      ->check(CLI::IsMember({"files", "null"}));
}

}  // namespace

int run_command_line(int argc, char** argv, store::SystemCalls& calls) {
  CLI::App app("Dray, a durable background-job server", "dray");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(kVersion));
  ServeOptions options;
  add_serve(app, options);
  cli::ClientCommands client_commands(app);
  repair::RepairCommands repair_commands(app, calls);
  app.add_subcommand("version", "print the version");
  const auto is_named = [&](const CLI::App* command) { return command->check_name(argv[1]); };
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (argc > 1 && argv[1][0] != '-' && std::ranges::none_of(commands, is_named)) {
    std::fprintf(stderr, "dray: there is no command '%s'\nRun with --help for more information.\n",
                 argv[1]);
    return kExitUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kExitOk : kExitUsage;
  }
  if (app.got_subcommand("version")) {
    std::printf("dray %s\n", std::string(kVersion).c_str());
    return kExitOk;
  }
  if (const auto code = client_commands.run()) return *code;
  if (const auto code = repair_commands.run()) return *code;
  return serve(options, calls);
}

}  // namespace server
