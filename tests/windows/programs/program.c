/*
 * program.exe: a program whose end and output are known, for who runs programs.
 *
 *	program.exe args FILE ARG...   writes the arguments to FILE, a line each;
 *prints 1 program.exe print TEXT         prints it program.exe type FILE prints the
 *file program.exe fail STATUS TEXT   prints TEXT as an error, and 0 as well
 *	program.exe flood              prints without end
 *	program.exe input              prints how many bytes its input has
 *	program.exe hang NAME          starts a program.exe that hangs too, and
 *never ends program.exe leave NAME         starts one that hangs, prints 7 and ends
 */
#include <windows.h>

#include <shellapi.h>
#include <stdio.h>
#include <stdlib.h>

static void write_arguments(int count, wchar_t **arguments)
{
	FILE *file = _wfopen(arguments[0], L"wb");
	char text[4096];

	for (int i = 1; file && i < count; i++) {
		WideCharToMultiByte(CP_UTF8, 0, arguments[i], -1, text,
				    sizeof(text), NULL, NULL);
		fprintf(file, "%s\n", text);
	}
	if (file && !fclose(file))
		puts("1");
}

static void type(const wchar_t *path)
{
	FILE *file = _wfopen(path, L"rb");
	char text[4096];
	size_t length = file ? fread(text, 1, sizeof(text), file) : 0;

	fwrite(text, 1, length, stdout);
	if (file)
		fclose(file);
}

static void start_another(const wchar_t *name)
{
	STARTUPINFOW startup = {.cb = sizeof(startup)};
	PROCESS_INFORMATION made;
	wchar_t path[MAX_PATH], line[2 * MAX_PATH];

	GetModuleFileNameW(NULL, path, MAX_PATH);
	_snwprintf(line, 2 * MAX_PATH, L"\"%ls\" sleep %ls", path, name);
	if (!CreateProcessW(path, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup,
			    &made))
		exit(9);
}

static void sleep_for_ever(void)
{
	for (;;)
		Sleep(1000);
}

int main(void)
{
	int count;
	wchar_t **arguments = CommandLineToArgvW(GetCommandLineW(), &count);
	wchar_t what = count > 1 ? arguments[1][0] : 0;
	char bytes[64];

	if (what == 'a' && count > 2)
		write_arguments(count - 2, arguments + 2);
	else if (what == 'p' && count > 2)
		printf("%ls", arguments[2]);
	else if (what == 't' && count > 2)
		type(arguments[2]);
	else if (what == 'f' && count > 3)
		return printf("0\n"), fprintf(stderr, "%ls\nmore\n", arguments[3]),
		       (int)wcstoul(arguments[2], NULL, 0);
	else if (what == 'f')
		while (fwrite("0123456789", 1, 10, stdout) == 10)
			;
	else if (what == 'i')
		printf("%d\n", (int)fread(bytes, 1, sizeof(bytes), stdin));
	else if (what == 'h' && count > 2)
		start_another(arguments[2]), sleep_for_ever();
	else if (what == 'l' && count > 2)
		start_another(arguments[2]), puts("7");
	else if (what == 's')
		sleep_for_ever();
	else
		return 2;
	return 0;
}
