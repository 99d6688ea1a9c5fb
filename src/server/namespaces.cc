#include "server/namespaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "auth/job_namespace.h"
#include "base/assert.h"
#include "base/log.h"
#include "store/file_journal/file_journal.h"
#include "store/memory/null_journal.h"
#include "store/sqlite/sqlite_tables.h"

namespace server {

using base::ErrorCode;

namespace {

// Beside the default namespace's own files in the data directory.
constexpr std::string_view kFolder = "namespaces";
// Ends the name of a directory whose namespace was reset. It begins with a dot: no namespace is
// called so.
constexpr std::string_view kAside = ".gone";

std::unique_ptr<store::Journal> make_journal(const ServeOptions& options,
                                             const std::string& directory, store::FileSystem& files,
                                             base::Random& random) {
  if (options.journal == "null") return std::make_unique<store::NullJournal>();
  store::FileJournalOptions journal;
  journal.directory = directory;
  journal.segment_bytes = options.journal_segment_bytes;
  journal.budget_bytes = options.journal_budget_bytes;
  journal.allow_volatile = options.allow_volatile;
  return std::make_unique<store::FileJournal>(files, random, std::move(journal));
}

std::unique_ptr<store::Tables> make_tables(const ServeOptions& options,
                                           const std::string& directory, store::FileSystem& files) {
  if (options.journal == "null") return nullptr;
  return std::make_unique<store::SqliteTables>(files,
                                               store::SqliteTablesOptions{.directory = directory});
}

// A directory of files, as stores make them; OK when it is not there.
base::Status remove_tree(store::FileSystem& files, const std::string& path) {
  const auto names = files.list(path);
  if (!names) return {};
  for (const std::string& name : *names) TRY(files.remove(fmt::format("{}/{}", path, name)));
  return files.remove(path);
}

}  // namespace

base::Result<std::vector<std::string>> parse_namespaces(std::string_view text) {
  std::vector<std::string> names = {std::string(auth::kDefaultNamespace)};
  while (!text.empty()) {
    const size_t space = std::min(text.find(' '), text.size());
    const std::string_view name = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (name.empty() || std::ranges::find(names, name) != names.end()) continue;
    TRY(base::with_context(auth::check_namespace(name), "server.namespaces"));
    names.emplace_back(name);
  }
  if (names.size() > kNamespacesMax) {
    return base::fail(ErrorCode::kBadReq, "server.namespaces limit={} got={} namespaces, {} is one",
                      kNamespacesMax, names.size(), auth::kDefaultNamespace);
  }
  return names;
}

std::string namespace_directory(const std::string& data, std::string_view name) {
  return name == auth::kDefaultNamespace ? data : fmt::format("{}/{}/{}", data, kFolder, name);
}

std::vector<std::string> namespaces_left_out(store::FileSystem& files, const std::string& data,
                                             const std::vector<std::string>& served) {
  auto found = files.list(fmt::format("{}/{}", data, kFolder));
  if (!found) return {};  // There never was another one.
  std::erase_if(*found, [&](const std::string& name) {
    return !auth::check_namespace(name) || std::ranges::find(served, name) != served.end();
  });
  return *std::move(found);
}

base::Status remove_set_aside(store::FileSystem& files, const std::string& data) {
  const std::string folder = fmt::format("{}/{}", data, kFolder);
  const auto found = files.list(folder);
  if (!found) return {};  // There never was another namespace.
  for (const std::string& name : *found) {
    if (name.starts_with('.') && name.ends_with(kAside))
      TRY(remove_tree(files, fmt::format("{}/{}", folder, name)));
  }
  return {};
}

NamespaceHome::NamespaceHome(std::string name, const ServeOptions& options,
                             store::FileSystem& files, const base::Clock& clock,
                             engine::BufferGauge& buffers)
    : name_(std::move(name)),
      directory_(namespace_directory(options.data, name_)),
      options_(options),
      files_(files),
      clock_(clock),
      buffers_(buffers),
      engine_(make_engine()) {}

std::unique_ptr<engine::Engine> NamespaceHome::make_engine() {
  auto made = std::make_unique<engine::Engine>(make_journal(options_, directory_, files_, salts_),
                                               make_tables(options_, directory_, files_), clock_,
                                               tokens_, buffers_);
  made->set_audit_every(base::Duration{options_.audit_seconds * 1'000});
  return made;
}

Served NamespaceHome::served() {
  return {name_, *engine_, name_ == auth::kDefaultNamespace ? nullptr : this};
}

base::Status NamespaceHome::recover() {
  const base::MonoTime start = clock_.mono();
  const engine::RecoverySummary found = TRY(engine_->recover());
  recovered_ = true;
  LOG(kInfo, "recovered", {"namespace", name_}, {"jobs", found.jobs}, {"set_aside", found.damaged},
      {"last_seq", found.last_seq}, {"torn_bytes", found.torn_bytes},
      {"clean_shutdown", found.clean_shutdown},
      {"ms", (clock_.mono() - start).count() / 1'000'000});
  return {};
}

void NamespaceHome::close() {
  if (recovered_) base::ignore(engine_->stop(), "nothing was written");
}

engine::Engine& NamespaceHome::replace() {
  ASSERT(old_ == nullptr, "one reset after the other");
  old_ = std::exchange(engine_, make_engine());
  return *engine_;
}

Renewed NamespaceHome::renew() {
  base::ignore(old_->stop(), "what it could not write is forgotten with the rest");
  old_.reset();
  Renewed renewed;
  const std::string aside = fmt::format("{}/{}/.{}{}", options_.data, kFolder, name_, kAside);
  if (options_.journal != "null") renewed.emptied = forget(aside);
  renewed.recovered = recover();
  return renewed;
}

// The rename is the moment in which all is forgotten, or nothing. From then on it only takes up
// room, until the next start at the latest; on a full disk it is the room in which to begin anew.
base::Status NamespaceHome::forget(const std::string& aside) {
  TRY(remove_tree(files_, aside));
  TRY(files_.rename(directory_, aside));
  TRY(files_.sync_directory(fmt::format("{}/{}", options_.data, kFolder)));
  if (const base::Status removed = remove_tree(files_, aside); !removed) {
    LOG(kWarning, "what was forgotten could not be removed", {"namespace", name_},
        {"error", removed.error().message});
  }
  return {};
}

}  // namespace server
