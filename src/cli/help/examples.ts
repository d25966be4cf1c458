/** Lines that show what a command is for, under its help. */
export const examples: Record<string, readonly string[]> = {
	'container run': [
		'wherry run --rm -it debian bash                          a shell that leaves nothing behind',
		'wherry run -d --name web -p 8080:80 nginx                in the background, on port 8080 of the host',
		'wherry run --rm -v "$PWD":/src -w /src node npm test     in a folder of the host',
		'wherry run -d --restart unless-stopped -m 512m redis     started again, within 512 MiB',
	],
	'container exec': [
		'wherry exec -it web sh                                   a shell in a running container',
		'wherry exec -u root -e DEBUG=1 web env                   as another user, with a variable',
	],
	'container ls': [
		'wherry ps -aq | xargs wherry rm                          remove all that have stopped',
		"wherry ps --format '{{.Names}}: {{.Status}}'             a format of one's own",
		'wherry ps -a -f status=exited -f label=stage=test        only some',
	],
	'container logs': [
		'wherry logs -f --tail 20 web                             the last lines, and what comes',
		'wherry logs --since 10m -t web                           with times',
	],
	'container cp': [
		'wherry cp web:/etc/nginx/nginx.conf .                    out of a container',
		'wherry cp site/. web:/usr/share/nginx/html               the contents of a folder into it',
		'tar c site | wherry cp - web:/srv                        an archive from standard input',
	],
	'container commit': [
		"wherry commit -m 'with tools' -c 'CMD [\"bash\"]' box tools:1   an image of what has changed",
	],
	'container update': [
		'wherry update -m 1g --cpus 1.5 web                       other limits, at once',
		'wherry update --publish-add 8443:443 web                 one more port, while it runs',
	],
	'container wait': ['wherry run -d --name job batch && wherry wait job        its exit code'],
	'image ls': [
		'wherry images -f dangling=true -q                        untagged ones',
		'wherry images nginx                                      one repository',
	],
	'image tag': ['wherry tag web:latest registry.example.org/team/web:1.2'],
	'network create': [
		'wherry network create backend                            names resolve on it',
		'wherry network create --subnet 10.5.0.0/16 --internal db addresses of its own, no way out',
	],
	'volume create': ['wherry volume create data && wherry run -v data:/var/lib/data app'],
	'system events': [
		'wherry events -f type=container -f event=die             as it happens',
		'wherry events --since 1h --until 0s                      what has happened',
	],
	inspect: [
		"wherry inspect -f '{{.State.Status}} {{.State.ExitCode}}' web",
		"wherry inspect -f '{{json .NetworkSettings.Ports}}' web",
	],
	completion: [
		'source <(wherry completion bash)                         in ~/.bashrc',
		'wherry completion fish | source                          in ~/.config/fish/config.fish',
	],
};
