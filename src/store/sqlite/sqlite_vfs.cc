#include "store/sqlite/sqlite_vfs.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "base/assert.h"
#include "store/sqlite/page_stamp.h"

namespace store {
namespace {

using base::ErrorCode;
using Level = SharedFile::Level;

constexpr int kPathBytesMax = 4'096;
constexpr int kSectorBytes = 4'096;

struct OpenFile {
  std::unique_ptr<File> file;
  SharedFile* shared = nullptr;
  SharedFile::Holder holder;
  std::optional<PageStamp> stamp;  // Of the file itself, not of its log.
};

// SQLite makes room for it and calls back with it.
struct Handle {
  sqlite3_file base;
  OpenFile* open;
};

OpenFile& file_of(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file)->open;
}

int answer_of(const base::Status& status, int code) {
  if (status) return SQLITE_OK;
  return status.error().code == ErrorCode::kDiskFull ? SQLITE_FULL : code;
}

int close(sqlite3_file* file) {
  const std::unique_ptr<OpenFile> open(reinterpret_cast<Handle*>(file)->open);
  open->shared->unmap(open->holder);
  open->shared->unlock(open->holder, Level::kNone);
  return SQLITE_OK;
}

int read(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
  const std::span<std::byte> bytes(static_cast<std::byte*>(into), static_cast<size_t>(size));
  OpenFile& open = file_of(file);
  const auto got = open.file->read_at(static_cast<uint64_t>(offset), bytes);
  if (!got) return SQLITE_IOERR_READ;
  if (*got == bytes.size()) {
    const bool right = !open.stamp || open.stamp->is_right(bytes, static_cast<uint64_t>(offset));
    return right ? SQLITE_OK : SQLITE_CORRUPT;
  }
  std::ranges::fill(bytes.subspan(*got), std::byte{0});
  return SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  const auto place = static_cast<uint64_t>(offset);
  std::span bytes(static_cast<const std::byte*>(from), static_cast<size_t>(size));
  OpenFile& open = file_of(file);
  if (open.stamp) bytes = open.stamp->stamp(bytes, place);
  return answer_of(open.file->write_at(place, bytes), SQLITE_IOERR_WRITE);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return answer_of(file_of(file).file->truncate(static_cast<uint64_t>(size)),
                   SQLITE_IOERR_TRUNCATE);
}

int sync(sqlite3_file* file, int /*flags*/) {
  // Also where it says that there is no room: a sync that failed is not tried again.
  return file_of(file).file->sync_data() ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  const auto bytes = file_of(file).file->size();
  if (!bytes) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(*bytes);
  return SQLITE_OK;
}

int lock(sqlite3_file* file, int level) {
  OpenFile& open = file_of(file);
  return open.shared->lock(open.holder, static_cast<Level>(level)) ? SQLITE_OK : SQLITE_BUSY;
}

int unlock(sqlite3_file* file, int level) {
  OpenFile& open = file_of(file);
  open.shared->unlock(open.holder, static_cast<Level>(level));
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* reserved) {
  *reserved = file_of(file).shared->is_reserved() ? 1 : 0;
  return SQLITE_OK;
}

int control(sqlite3_file* /*file*/, int /*what*/, void* /*argument*/) {
  return SQLITE_NOTFOUND;  // Hints, all of which may be passed over.
}

int sector_size(sqlite3_file* /*file*/) {
  return kSectorBytes;
}

// A write that the power cuts off does not spoil the bytes beside it.
int characteristics(sqlite3_file* /*file*/) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int map_shared(sqlite3_file* file, int index, int size, int make, void volatile** memory) {
  OpenFile& open = file_of(file);
  *memory = open.shared->map(open.holder, static_cast<size_t>(index), static_cast<size_t>(size),
                             make != 0);
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* file, int first, int count, int flags) {
  OpenFile& open = file_of(file);
  bool done = true;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    open.shared->unlock_slots(open.holder, first, count);
  } else if ((flags & SQLITE_SHM_SHARED) != 0) {
    done = open.shared->lock_shared(open.holder, first);
  } else {
    done = open.shared->lock_exclusive(open.holder, first, count);
  }
  return done ? SQLITE_OK : SQLITE_BUSY;
}

void barrier(sqlite3_file* /*file*/) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

int unmap_shared(sqlite3_file* file, int /*erase*/) {
  OpenFile& open = file_of(file);
  open.shared->unmap(open.holder);
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = close,
    .xRead = read,
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = file_size,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap_shared,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

SqliteVfs& vfs_of(sqlite3_vfs* vfs) {
  return *static_cast<SqliteVfs*>(vfs->pAppData);
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
}

// A name is durable before anything is written under it.
base::Result<std::unique_ptr<File>> open_or_make(FileSystem& files, const std::string& path,
                                                 bool make) {
  auto file = files.open_to_write(path);
  if (file || !make || file.error().code != ErrorCode::kNotFound) return file;
  file = files.create(path);
  if (file) TRY(files.sync_directory(parent_of(path)));
  return file;
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  file->pMethods = nullptr;
  if (name == nullptr) return SQLITE_CANTOPEN;  // What is temporary is kept in memory.
  SqliteVfs& self = vfs_of(vfs);
  auto opened = open_or_make(self.files(), name, (flags & SQLITE_OPEN_CREATE) != 0);
  if (!opened) return opened.error().code == ErrorCode::kDiskFull ? SQLITE_FULL : SQLITE_CANTOPEN;
  auto open_file = std::make_unique<OpenFile>();
  open_file->file = *std::move(opened);
  open_file->shared = &self.shared(name);
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) open_file->stamp.emplace();
  reinterpret_cast<Handle*>(file)->open = open_file.release();  // Until `close`.
  file->pMethods = &kMethods;
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int /*sync*/) {
  FileSystem& files = vfs_of(vfs).files();
  const base::Status removed = files.remove(name);
  if (!removed && removed.error().code == ErrorCode::kNotFound) return SQLITE_IOERR_DELETE_NOENT;
  if (!removed) return SQLITE_IOERR_DELETE;
  return answer_of(files.sync_directory(parent_of(name)), SQLITE_IOERR_DIR_FSYNC);
}

int access(sqlite3_vfs* vfs, const char* name, int /*how*/, int* answer) {
  const auto file = vfs_of(vfs).files().open_to_read(name);
  *answer = file.has_value() ? 1 : 0;
  const bool told = file.has_value() || file.error().code == ErrorCode::kNotFound;
  return told ? SQLITE_OK : SQLITE_IOERR_ACCESS;
}

int full_path(sqlite3_vfs* /*vfs*/, const char* name, int size, char* into) {
  const size_t bytes = std::strlen(name) + 1;
  if (bytes > static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(into, name, bytes);
  return SQLITE_OK;
}

// SQLite finds a door by its name.
std::string new_name() {
  static std::atomic<uint64_t> made{0};
  return fmt::format("dray-{}", ++made);
}

}  // namespace

SqliteVfs::SqliteVfs(FileSystem& files)
    : files_(files), name_(new_name()), vfs_(std::make_unique<sqlite3_vfs>()) {
  // Time, chance and the like are those of SQLite's own.
  const sqlite3_vfs* unix_vfs = sqlite3_vfs_find(nullptr);
  ASSERT(unix_vfs != nullptr, "SQLite was built without one");
  *vfs_ = *unix_vfs;
  vfs_->iVersion = 2;  // Without replaceable system calls: there are none.
  vfs_->szOsFile = sizeof(Handle);
  vfs_->mxPathname = kPathBytesMax;
  vfs_->pNext = nullptr;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = open;
  vfs_->xDelete = remove;
  vfs_->xAccess = access;
  vfs_->xFullPathname = full_path;
  const int code = sqlite3_vfs_register(vfs_.get(), 0);
  ASSERT(code == SQLITE_OK, "{}", code);
}

SqliteVfs::~SqliteVfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

SharedFile& SqliteVfs::shared(const std::string& path) {
  const std::lock_guard guard(mutex_);
  return shared_[path];
}

}  // namespace store
