/*
 * Names of callbacks for messages: looks an address up in this program's own symbol table, where,
 * unlike with dladdr(), static functions are found too.
 */
#include "config.h"

#include "tests/harness/internal.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
	const unsigned char *bytes;
	size_t len;
};

static int
first_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(uintptr_t *)arg = info->dlpi_addr;
	return 1; /* the program itself comes first */
}

static const void *
part(const struct image *image, size_t offset, size_t len)
{
	if (offset > image->len || len > image->len - offset)
		return NULL;
	return image->bytes + offset;
}

static bool
find_in_table(const struct image *image, const Elf64_Shdr *table, const Elf64_Shdr *strings,
	      uintptr_t addr, char *out, size_t out_len)
{
	const Elf64_Sym *symbols = part(image, table->sh_offset, table->sh_size);
	const char *names = part(image, strings->sh_offset, strings->sh_size);

	if (symbols == NULL || names == NULL)
		return false;
	for (size_t i = 0; i < table->sh_size / sizeof(*symbols); i++) {
		if (ELF64_ST_TYPE(symbols[i].st_info) != STT_FUNC || addr < symbols[i].st_value ||
		    addr - symbols[i].st_value >= symbols[i].st_size ||
		    symbols[i].st_name >= strings->sh_size)
			continue;
		snprintf(out, out_len, "%s()", names + symbols[i].st_name);
		return true;
	}
	return false;
}

static bool
find_in_image(const struct image *image, uintptr_t addr, char *out, size_t out_len)
{
	const Elf64_Ehdr *header = part(image, 0, sizeof(*header));
	const Elf64_Shdr *sections;

	if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64)
		return false;
	sections = part(image, header->e_shoff, (size_t)header->e_shnum * sizeof(*sections));
	for (int i = 0; sections != NULL && i < header->e_shnum; i++)
		if (sections[i].sh_type == SHT_SYMTAB && sections[i].sh_link < header->e_shnum &&
		    find_in_table(image, &sections[i], &sections[sections[i].sh_link], addr, out,
				  out_len))
			return true;
	return false;
}

const char *
symbol_name(const void *addr)
{
	static char name[128];
	struct image image = { 0 };
	uintptr_t base = 0;
	struct stat st;
	int fd;

	snprintf(name, sizeof(name), "%p", addr);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return name;
	if (fstat(fd, &st) == 0) {
		image.len = (size_t)st.st_size;
		image.bytes = mmap(NULL, image.len, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	close(fd);
	if (image.bytes == NULL || image.bytes == MAP_FAILED)
		return name;
	dl_iterate_phdr(first_object, &base);
	find_in_image(&image, (uintptr_t)addr - base, name, sizeof(name));
	munmap((void *)(uintptr_t)image.bytes, image.len);
	return name;
}
