/**
 * Fuzzes what unpacks layers: bytes go through the decoder and the archive reader into a folder, as those of a
 * stranger's layer do. Built with the address and undefined behaviour sanitizers, and with a call on every edge
 * (-fsanitize-coverage=trace-pc), so that inputs which reach something new are gone on with. What the decoder of
 * deflate makes of them is compared with what zlib does.
 *
 *   unpack CORPUS SCRATCH SECONDS [--keep]
 *
 * CORPUS is a folder of inputs; with --keep those that reach something new are written there, too. SCRATCH is an
 * empty folder on a file system of its own. Ends with status 1 and the input in SCRATCH/../crash when something
 * outside of the layer's folder changes; the sanitizers end it otherwise.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "../../native/addon/decoder.h"
#include "../../native/addon/directory.h"
#include "../../native/addon/layer_writer.h"
#include "inflate_check.h"

namespace {

constexpr size_t kMapSize = 1 << 16;
/** Which edges were passed, by a hash of the two addresses. Not a vector: the callback must not call anything. */
uint8_t g_edges[kMapSize];
uintptr_t g_previous = 0;

}  // namespace

extern "C" __attribute__((no_sanitize("address", "undefined"))) void __sanitizer_cov_trace_pc() {
  auto here = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  uintptr_t edge = (here ^ (g_previous << 1)) % kMapSize;
  if (g_edges[edge] < 255) ++g_edges[edge];
  g_previous = here >> 1;
}

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kMaxInput = 64 << 10, kMaxDecoded = 4 << 20;

/** Small, fast and repeatable (xorshift). */
class Random {
 public:
  size_t below(size_t limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return limit == 0 ? 0 : static_cast<size_t>(state_ % limit);
  }

 private:
  uint64_t state_ = 0x5eed5eed5eed;
};

class Collector : public wherry::DecodedSink {
 public:
  uint8_t *room(size_t &size) override {
    if (bytes.size() + sizeof buffer_ > kMaxDecoded) return nullptr;
    size = sizeof buffer_;
    return buffer_;
  }
  void written(size_t size) override { bytes.insert(bytes.end(), buffer_, buffer_ + size); }
  Bytes bytes;

 private:
  uint8_t buffer_[4096];
};

/** Each piece is memory of its own, so that a read beyond it is seen. */
class PieceSource : public wherry::TarSource {
 public:
  PieceSource(const Bytes &bytes, size_t piece) : bytes_(bytes), piece_(piece) {}
  bool next(size_t most, const uint8_t *&data, size_t &size) override {
    size = std::min({most, piece_, bytes_.size() - at_});
    copy_.assign(bytes_.begin() + static_cast<long>(at_), bytes_.begin() + static_cast<long>(at_ + size));
    copy_.shrink_to_fit();
    data = copy_.data();
    at_ += size;
    return true;
  }

 private:
  const Bytes &bytes_;
  const size_t piece_;
  size_t at_ = 0;
  Bytes copy_;
};

void unpack(const Bytes &input, int scratch, size_t piece) {
  Collector decoded;
  std::unique_ptr<wherry::Decoder> decoder;
  size_t first = std::min(input.size(), wherry::kSniffSize);
  if (wherry::make_decoder(input.data(), first, decoder)) return;
  if (decoder->decode(input.data(), input.size(), decoded)) return;
  (void)decoder->finish();
  if (mkdirat(scratch, "layer", 0755) != 0) abort();
  wherry::Fd root(openat(scratch, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  wherry::LayerWriter writer(std::move(root));
  PieceSource source(decoded.bytes, piece);
  wherry::TarReader reader(source);
  (void)writer.write(reader);
  (void)writer.implied();
}

/** The stream of deflate behind a gzip header without names; any other input as such a stream. */
bool inflates_as_zlib_does(const Bytes &input, Random &random) {
  static const uint8_t kHeader[] = {0x1f, 0x8b, 8, 0};
  bool has_header = input.size() >= 10 && std::equal(kHeader, kHeader + sizeof kHeader, input.begin());
  Bytes stream(input.begin() + (has_header ? 10 : 0), input.end());
  // Small ones go the slow way only.
  size_t piece = random.below(2) == 0 ? 1 + random.below(64) : kMaxInput;
  size_t room = random.below(2) == 0 ? 1 + random.below(400) : 8192;
  return wherry::agrees_with_zlib(stream, piece, room);
}

uint32_t checksum(const uint8_t *block) {
  uint32_t sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : block[i];
  return sum;
}

/** Most changes break a header's checksum: made right again, they get further. */
void mend(Bytes &bytes) {
  for (size_t at = 0; at + 512 <= bytes.size(); at += 512) {
    if (memcmp(&bytes[at + 257], "ustar", 5) != 0) continue;
    snprintf(reinterpret_cast<char *>(&bytes[at + 148]), 8, "%06o", checksum(&bytes[at]));
  }
}

Bytes mutate(const std::vector<Bytes> &corpus, Random &random) {
  static const char *const kWords[] = {"..", "/", "../../victim/file", ".wh.", ".wh..wh..opq", "x/../../", "99999999999", "-1", "path=", "GNU.sparse.major=1",
                                       "SCHILY.xattr.user.x=", "ustar", "77777777777"};
  Bytes bytes = corpus[random.below(corpus.size())];
  for (size_t change = random.below(6); change < 6; ++change) {
    if (bytes.empty()) bytes.push_back(0);
    size_t at = random.below(bytes.size());
    switch (random.below(9)) {
      case 0: bytes[at] = static_cast<uint8_t>(random.below(256)); break;
      case 1: bytes[at] ^= static_cast<uint8_t>(1u << random.below(8)); break;
      case 2: bytes.resize(at); break;
      case 3: {  // A block of another input, or of this one, in its place.
        const Bytes &other = corpus[random.below(corpus.size())];
        size_t from = random.below(other.size() / 512 + 1) * 512, to = at / 512 * 512;
        size_t size = std::min({size_t{512}, other.size() - std::min(from, other.size()), bytes.size() - to});
        std::copy_n(other.begin() + static_cast<long>(std::min(from, other.size())), size, bytes.begin() + static_cast<long>(to));
        break;
      }
      case 4: {  // Blocks of another behind these.
        const Bytes &other = corpus[random.below(corpus.size())];
        size_t end = std::min(bytes.size() / 512 * 512, at / 512 * 512);
        bytes.resize(end);
        bytes.insert(bytes.end(), other.begin(), other.end());
        break;
      }
      case 5: {
        const char *word = kWords[random.below(std::size(kWords))];
        size_t size = std::min(strlen(word), bytes.size() - at);
        memcpy(&bytes[at], word, size);
        break;
      }
      case 6: {  // A header's name, type or link.
        static const size_t kFields[] = {0, 100, 124, 156, 157, 345};
        at = at / 512 * 512 + kFields[random.below(std::size(kFields))];
        if (at < bytes.size()) bytes[at] = static_cast<uint8_t>(at % 512 == 156 ? "0123456xgLKSX"[random.below(13)] : random.below(256));
        break;
      }
      case 7: bytes.insert(bytes.begin() + static_cast<long>(at / 512 * 512), 512, 0); break;
      default: std::fill_n(bytes.begin() + static_cast<long>(at), std::min<size_t>(random.below(32), bytes.size() - at), 0xff);
    }
  }
  if (bytes.size() > kMaxInput) bytes.resize(kMaxInput);
  if (random.below(4) > 0) mend(bytes);
  return bytes;
}

/** How often each edge was passed, in powers of two: a loop that runs once more is nothing new. */
bool reaches_new(std::vector<uint8_t> &seen) {
  bool found = false;
  for (size_t i = 0; i < kMapSize; ++i) {
    if (g_edges[i] == 0) continue;
    uint8_t bit = static_cast<uint8_t>(1u << std::min(7, 31 - __builtin_clz(g_edges[i])));
    if ((seen[i] & bit) == 0) found = true;
    seen[i] |= bit;
  }
  return found;
}

Bytes read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

void write_file(const std::string &path, const Bytes &bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char *>(bytes.data()), static_cast<long>(bytes.size()));
}

std::vector<Bytes> read_corpus(const std::string &folder) {
  std::vector<std::string> names;
  DIR *directory = opendir(folder.c_str());
  if (directory == nullptr) return {};
  while (dirent *entry = readdir(directory)) {
    if (entry->d_name[0] != '.') names.push_back(entry->d_name);
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  std::vector<Bytes> corpus;
  for (const auto &name : names) corpus.push_back(read_file(folder + "/" + name));
  return corpus;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  std::string folder = argv[1], scratch = argv[2];
  bool keep = argc > 4 && strcmp(argv[4], "--keep") == 0;
  // Node has these in itself.
  for (const char *library : {"libz.so.1", "libzstd.so.1"}) dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  if (unshare(CLONE_FS) != 0) return 2;
  umask(0);
  int place = open(scratch.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (place < 0) return 2;
  mkdirat(place, "victim", 0755);
  const std::string victim = scratch + "/victim/file";
  write_file(victim, {'u', 'n'});

  std::vector<Bytes> corpus = read_corpus(folder);
  if (corpus.empty()) corpus.push_back(Bytes(1024, 0));
  std::vector<uint8_t> seen(kMapSize);
  Random random;
  size_t rounds = 0, found = 0;
  auto run = [&](const Bytes &input) {
    // What a sanitizer ends has been written before.
    write_file(scratch + "/input", input);
    memset(g_edges, 0, sizeof g_edges);
    unpack(input, place, 1 + random.below(3) * 511);
    if (!inflates_as_zlib_does(input, random)) {
      fprintf(stderr, "deflate is decoded otherwise than by zlib; the input is %s/input\n", scratch.c_str());
      exit(1);
    }
    bool is_new = reaches_new(seen);
    (void)wherry::remove_tree(place, "layer");
    size_t names = 0;
    DIR *directory = opendir(scratch.c_str());
    while (readdir(directory) != nullptr) ++names;
    closedir(directory);
    if (names != 4 || read_file(victim) != Bytes{'u', 'n'}) {
      fprintf(stderr, "something outside of the layer has changed; the input is %s/input\n", scratch.c_str());
      exit(1);
    }
    ++rounds;
    return is_new;
  };
  for (const Bytes &input : std::vector<Bytes>(corpus)) run(input);
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(atof(argv[3]));
  while (std::chrono::steady_clock::now() < end) {
    Bytes input = mutate(corpus, random);
    if (!run(input)) continue;
    ++found;
    if (corpus.size() < 4096) corpus.push_back(input);
    if (keep) {
      char name[32];
      snprintf(name, sizeof name, "/%06zu", rounds);
      write_file(folder + name, input);
    }
  }
  size_t edges = static_cast<size_t>(std::count_if(seen.begin(), seen.end(), [](uint8_t each) { return each != 0; }));
  printf("%zu inputs, %zu reached something new, %zu edges\n", rounds, found, edges);
  return 0;
}
