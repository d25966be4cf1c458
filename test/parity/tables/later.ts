import {lines, type Table} from '../table.ts';

export const registries: Table = {
	name: 'history, push, search, login',
	pending: 'not there yet',
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
	pending: 'not there yet',
	setup: "docker run --name box busybox sh -c 'mkdir /d; echo x > /d/f'; docker export -o box.tar box",
	pairs: lines`
		docker export box | docker import - imported:1 | cut -c1-7; docker run --rm imported:1 cat /d/f; docker image inspect -f '{{json .Config.Cmd}}' imported:1
		docker export box | docker import -c 'CMD ["cat", "/d/f"]' -m why - imported:2 | wc -c; docker run --rm imported:2; docker history --format '{{.Comment}}' imported:2
		docker import nowhere.tar
		docker import
		echo no tar | docker import -
		docker import -c NONSENSE box.tar
		docker import box.tar UPPER
		docker save busybox | tar t | grep -c json
		docker save nosuch
		docker save
		docker save -o no/such/file busybox
		docker save -o all.tar busybox parity/app:1; docker load -i all.tar | sort
		docker load < all.tar | sort
		docker load -q -i all.tar
		docker load -i nowhere
		echo no tar | docker load
		docker load extra
	`,
};
