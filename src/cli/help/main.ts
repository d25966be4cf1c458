export async function helpText(_typed: string): Promise<string> {
	return 'Usage:  wherry [OPTIONS] COMMAND';
}
export async function completionScript(_shell: string): Promise<string> {
	return '';
}
