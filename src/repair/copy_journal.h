// Copies the journal of a data directory into another, also while a server writes to it.
//
// The copy holds a prefix of the commit order with all that was acknowledged before the copying
// began. Segments never change but for the newest, to which frames are appended, and but for those
// that are trimmed, which become other files. So: of each segment the frames that count are copied,
// of the newest as far as they verify now, and when the source's watermark has moved its beginning
// meanwhile, or a segment is gone, all is begun anew. What was copied is then read back by the code
// of a start. The copy's watermark comes last and claims all of it: without one nobody serves it.
#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "store/file.h"

namespace repair {

struct Copied {
  uint64_t last_seq = 0;
  uint64_t segments = 0;
  uint64_t bytes = 0;
};

// Requires: `to` is there; a journal in it is replaced. Errors: CORRUPT, when the source is
// damaged; NOTFOUND; UNAVAILABLE, when the source changes faster than it can be copied; DISKFULL;
// IO. After an error nothing is left in `to` that a server would serve.
base::Result<Copied> copy_journal(store::FileSystem& files, const std::string& from,
                                  const std::string& to);

// Removes what copy_journal has made, the watermark first.
base::Status clear_journal(store::FileSystem& files, const std::string& directory);

// Copies the first `size` bytes. CORRUPT: there are less.
base::Status copy_bytes(store::File& from, store::File& to, uint64_t size);

// Fails with BADREQ when there is something in the directory `path`.
base::Status expect_empty(store::FileSystem& files, const std::string& path);

}  // namespace repair
