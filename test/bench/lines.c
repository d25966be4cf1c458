// Writes lines of 100 bytes to stdout: `lines bulk|each COUNT`, in pieces of 64 KiB or one by one.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[65536];

static void flush(size_t length) {
	for (size_t at = 0; at < length;) {
		ssize_t n = write(1, buffer + at, length - at);
		if (n <= 0) exit(1);
		at += (size_t)n;
	}
}

int main(int argc, char **argv) {
	if (argc != 3) return 2;
	size_t room = strcmp(argv[1], "bulk") == 0 ? sizeof buffer : 100;
	size_t used = 0;
	for (long left = atol(argv[2]); left > 0; left--) {
		if (used + 100 > room) {
			flush(used);
			used = 0;
		}
		memset(buffer + used, 'x', 99);
		buffer[used + 99] = '\n';
		used += 100;
	}
	flush(used);
	return 0;
}
