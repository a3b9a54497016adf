/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers. From the kernel they come through a small buffer, so that one is not one system
 * call; a seeded sequence is xoshiro256** (Blackman and Vigna), begun by splitmix64.
 */
#include "base/rand.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/attr.h"

static struct {
	uint64_t buffer[32];
	size_t left;

	bool seeded;
	uint64_t state[4];

	bool has_hash_key;
	uint64_t hash_key[2];
} the_rand;

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t xoshiro(uint64_t s[4])
{
	uint64_t answer = rotate(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return answer;
}

void rand_seed(uint64_t seed)
{
	the_rand.seeded = true;
	the_rand.has_hash_key = false;
	for (size_t i = 0; i < ARRAY_LEN(the_rand.state); i++)
		the_rand.state[i] = splitmix(&seed);
}

static void fill_buffer(void)
{
	ssize_t n;

	do {
		n = getrandom(the_rand.buffer, sizeof(the_rand.buffer), 0);
	} while (n < 0 && errno == EINTR);

	/* Up to 256 bytes come whole; a kernel that has no randomness is none to run on. */
	if (n != sizeof(the_rand.buffer))
		abort();
	the_rand.left = ARRAY_LEN(the_rand.buffer);
}

uint64_t rand_u64(void)
{
	uint64_t word;

	if (the_rand.seeded)
		return xoshiro(the_rand.state);
	if (the_rand.left == 0)
		fill_buffer();
	the_rand.left--;
	word = the_rand.buffer[the_rand.left];
	the_rand.buffer[the_rand.left] = 0; /* what became a token is not kept here */
	return word;
}

const uint64_t *rand_hash_key(void)
{
	if (!the_rand.has_hash_key) {
		the_rand.hash_key[0] = rand_u64();
		the_rand.hash_key[1] = rand_u64();
		the_rand.has_hash_key = true;
	}
	return the_rand.hash_key;
}

uint64_t rand_below(uint64_t n)
{
	uint64_t word, unfair;

	assert(n > 0);
	/* The lowest 2^64 mod n words would make the small answers more likely than the rest. */
	unfair = (0 - n) % n;
	do {
		word = rand_u64();
	} while (word < unfair);
	return word % n;
}

int64_t rand_between(int64_t low, int64_t high)
{
	uint64_t span = (uint64_t)high - (uint64_t)low;

	assert(low <= high);
	if (span == UINT64_MAX)
		return (int64_t)rand_u64();
	return (int64_t)((uint64_t)low + rand_below(span + 1));
}

void rand_hex(struct strbuf *out, size_t digits)
{
	uint64_t word = 0;

	for (size_t i = 0; i < digits; i++, word >>= 4) {
		if (i % 16 == 0)
			word = rand_u64();
		strbuf_addc(out, "0123456789abcdef"[word & 15]);
	}
}
