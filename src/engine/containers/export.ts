/** `docker export`: a container's root file system as a tar archive, without what is mounted in it. */
import {native} from '../../kernel/native.ts';
import {type EngineContext, emit} from './context.ts';
import {openRoot, withLocked} from './root.ts';

/** Writes to a descriptor; resolves to the archive's size in bytes. */
export function exportContainer(context: EngineContext, container: string, fd: number): Promise<number> {
	return withLocked(context, container, async (record) => {
		const root = await openRoot(context, record, true);
		try {
			emit(context, record, 'export');
			const {size} = await native.packTree(root.fd, fd, {
				name: '',
				withTop: false,
				oneFileSystem: true,
				...(root.guard === undefined ? {} : {guard: root.guard}),
			});
			return size;
		} finally {
			await root.close();
		}
	});
}
