/*
 * The dispatch loop of src/netfilter/flat/lookup.ts over the same arrays, as a C compiler makes it: what the
 * processor and its memory allow. Build: cc -O2 -march=native -o flat-lookup flat-lookup.c
 *
 * Standard input, all words 32 bits and little-endian:
 *   header   rows, rounds, shift, where the directory begins in memory, words of memory, doubles of thresholds,
 *            0, 0
 *   arrays   memory, thresholds (eight bytes each)
 *   columns  draw (eight bytes each), src, dst, mark, dport (two bytes each), protocol (one byte each)
 * Standard output: a line for each round, nanoseconds for all rows; then the line `sum` and a checksum of the
 * results of the last round.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PAGE_ENTRIES = 64, NO_ENTRY = -1, RESULT_DNAT = 5 };
enum { COUNT, THRESHOLDS, KEEP, FLIP, NEGATE, HAIRPIN_KEEP, HAIRPIN_FLIP, SOURCE = 8, MASK = 12 };

static void *take(size_t count, size_t size) {
	/* calloc: also an array of nothing is an array. */
	void *array = calloc(count + 1, size);
	if (array == NULL || fread(array, size, count, stdin) != count) {
		fprintf(stderr, "flat-lookup: the input ends too early\n");
		exit(2);
	}
	return array;
}

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(void) {
	uint32_t *header = take(8, 4);
	const uint32_t rows = header[0], rounds = header[1], shift = header[2];
	const int32_t *memory = take(header[4], 4), *directory = memory + header[3];
	const double *thresholds = take(header[5], 8), *draw = take(rows, 8);
	const uint32_t *src = take(rows, 4), *dst = take(rows, 4), *mark = take(rows, 4);
	const uint16_t *dport = take(rows, 2);
	const uint8_t *protocol = take(rows, 1);
	uint8_t *result = calloc(rows, 1);
	uint32_t *new_dst = calloc(rows, 4), *new_mark = calloc(rows, 4);
	uint16_t *new_dport = calloc(rows, 2);
	int32_t *decision = calloc(rows, 4);

	for (uint32_t round = 0; round < rounds; round++) {
		int64_t begin = now();
		for (uint32_t row = 0; row < rows; row++) {
			uint32_t ports = (uint32_t)protocol[row] << 16 | dport[row];
			uint32_t hash = (dst[row] ^ ports * 0x85ebca6bu) * 0x9e3779b1u;
			hash ^= hash >> 15;
			const int32_t *page = memory + directory[hash >> shift];
			uint32_t at = (hash & (PAGE_ENTRIES - 1)) * 4;
			while (page[at + 1] != NO_ENTRY &&
			       (page[at + 1] != (int32_t)ports || page[at] != (int32_t)dst[row]))
				at = (at + 4) & (PAGE_ENTRIES * 4 - 1);
			if (page[at + 1] == NO_ENTRY) {
				result[row] = 0;
				continue;
			}
			const int32_t *shape = memory + page[at + 3];
			const double *list = thresholds + shape[THRESHOLDS];
			double u = draw[row];
			int32_t choice = (int32_t)(u * shape[COUNT]);
			while (u < list[choice]) choice--;
			while (u >= list[choice + 1]) choice++;
			int32_t endpoint = page[at + 2] + 2 * choice;
			uint32_t address = (uint32_t)memory[endpoint];
			uint32_t marked = mark[row];
			int differs = (src[row] & (uint32_t)shape[MASK]) != (uint32_t)shape[SOURCE];
			if (differs == shape[NEGATE]) marked = (marked & (uint32_t)shape[KEEP]) ^ (uint32_t)shape[FLIP];
			if (src[row] == address)
				marked = (marked & (uint32_t)shape[HAIRPIN_KEEP]) ^ (uint32_t)shape[HAIRPIN_FLIP];
			result[row] = RESULT_DNAT;
			new_dst[row] = address;
			new_dport[row] = (uint16_t)memory[endpoint + 1];
			new_mark[row] = marked;
			decision[row] = endpoint;
		}
		printf("%lld\n", (long long)(now() - begin));
	}
	uint32_t sum = 0;
	for (uint32_t row = 0; row < rows; row++) {
		sum = sum * 31 + result[row];
		sum = sum * 31 + new_dst[row];
		sum = sum * 31 + new_dport[row];
		sum = sum * 31 + new_mark[row];
		sum = sum * 31 + (uint32_t)decision[row];
	}
	printf("sum %u\n", sum);
	return 0;
}
