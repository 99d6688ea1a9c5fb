// Which namespaces a server has, and what each of them needs for itself: a directory, a store, an
// engine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "engine/engine.h"
#include "server/options.h"
#include "server/shard.h"
#include "store/file.h"

namespace server {

// Each has threads, a journal and a cache of its own.
inline constexpr size_t kNamespacesMax = 16;

// What server.namespaces says: names with spaces between. Returns them behind the default one,
// which may be named too. Errors: BADREQ.
base::Result<std::vector<std::string>> parse_namespaces(std::string_view text);

// Where it has its data: the default one in `data` itself.
std::string namespace_directory(const std::string& data, std::string_view name);

// The names of directories that look like namespaces and are not in `served`, sorted.
std::vector<std::string> namespaces_left_out(store::FileSystem& files, const std::string& data,
                                             const std::vector<std::string>& served);

// Removes what a NAMESPACE.RESET that was cut off had set aside.
base::Status remove_set_aside(store::FileSystem& files, const std::string& data);

// A namespace with its engine. What is given must outlive it.
class NamespaceHome final : public Renewal {
 public:
  NamespaceHome(std::string name, const ServeOptions& options, store::FileSystem& files,
                const base::Clock& clock, engine::BufferGauge& buffers);

  // Can be reset, unless its directory holds those of all the others.
  Served served();
  const std::string& directory() const { return directory_; }

  // Reads its data, and logs what was there.
  base::Status recover();
  // Of one that was never started: does nothing if it was not recovered either.
  void close();

  engine::Engine& replace() override;
  Renewed renew() override;

 private:
  std::unique_ptr<engine::Engine> make_engine();
  base::Status forget(const std::string& aside);

  const std::string name_;
  const std::string directory_;
  const ServeOptions& options_;
  store::FileSystem& files_;
  const base::Clock& clock_;
  engine::BufferGauge& buffers_;
  base::SystemRandom salts_;   // Of whoever writes to the journal.
  base::SystemRandom tokens_;  // Of whoever runs a turn.
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Engine> old_;  // Between replace() and renew().
  bool recovered_ = false;
};

}  // namespace server
