import {lines, type Table} from '../table.ts';

export const registries: Table = {
	name: 'history, push, search, login',
	recorded: true,
	pairs: lines`
		docker history busybox --format '{{.CreatedBy}}' | wc -l
		docker history busybox -q | wc -l
		docker history nosuch
		docker history
		docker history a b
		docker history --nonsense
		docker pull -a busybox:latest
		docker push
		docker push UPPER
		docker push nosuch
		docker search
		docker login --password x
		docker logout a b
	`,
};

export const archives: Table = {
	name: 'import, save, load',
	setup: "docker run --name box busybox sh -c 'mkdir /d; echo x > /d/f'; docker export -o box.tar box",
	pairs: [
		...lines`
		docker export box | docker import - imported:1 | cut -c1-7; docker run --rm imported:1 cat /d/f; docker image inspect -f '{{json .Config.Cmd}}' imported:1
		docker export box | docker import -c 'CMD ["cat", "/d/f"]' -m why - imported:2 | wc -c; docker run --rm imported:2; docker history --format '{{.Comment}}' imported:2
		docker import nowhere.tar
		docker import
		docker import -c NONSENSE box.tar
		docker import box.tar UPPER
		docker save nosuch
		docker save
		docker save -o no/such/file busybox
		docker save -o all.tar busybox parity/app:1; docker load -i all.tar | sort
		docker load < all.tar | sort
		docker load -q -i all.tar | sort
		docker load -i nowhere
		docker load extra
	`,
		...['import -', 'load'].map((command) => ({
			line: `echo no tar | docker ${command}`,
			because: 'the words are those of the tar program that the daemon runs',
			anyError: true as const,
		})),
		{
			line: 'docker save busybox | tar t | grep -c json',
			because: 'newer docker writes an OCI layout: its index and the manifest of older ones',
			stdout: '2\n',
		},
	],
};
