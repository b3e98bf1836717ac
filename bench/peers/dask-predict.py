"""The same work on Dask and OpenCV: detect faces with UltraFace, draw, encode, write. One JSON line per line of stdin."""
import json
import os
import sys
import time

from dask_work import work
from distributed import Client, SSHCluster, as_completed


def predict(client, model, folder, out, slots):
    os.makedirs(out, exist_ok=True)
    names = iter(sorted(os.listdir(folder)))
    running = as_completed()
    key_to_name = {}

    def submit():
        name = next(names, None)
        if name is None:
            return
        with open(os.path.join(folder, name), "rb") as file:
            future = client.submit(work, file.read(), model, pure=False)
        key_to_name[future.key] = name
        running.add(future)

    for _ in range(slots):
        submit()
    total = 0
    for future, (faces, encoded) in as_completed_results(running):
        with open(os.path.join(out, key_to_name.pop(future.key)), "wb") as file:
            file.write(encoded)
        total += len(faces)
        submit()
    return total


def as_completed_results(running):
    for future in running:
        yield future, future.result()


def main():
    options = json.loads(sys.argv[1])
    hosts = options["hosts"]
    connect = [dict(port=h["port"], username=h["user"], client_keys=[h["key"]], known_hosts=None) for h in hosts]
    addresses = [h["address"] for h in hosts]
    worker = {"nthreads": 1}
    with SSHCluster(
        [addresses[0], *addresses],
        connect_options=[connect[0], *connect],
        worker_options=worker,
        scheduler_options={"dashboard": False},
        remote_python="/usr/bin/python3",
    ) as cluster, Client(cluster) as client:
        client.wait_for_workers(len(hosts))
        client.upload_file(os.path.join(os.path.dirname(__file__), "dask_work.py"))
        print(json.dumps({"ready": len(hosts)}), flush=True)
        for line in sys.stdin:
            job = json.loads(line)
            started = time.perf_counter()
            faces = predict(client, options["model"], job["folder"], job["out"], 2 * len(hosts))
            print(json.dumps({"seconds": time.perf_counter() - started, "faces": faces}), flush=True)


if __name__ == "__main__":
    main()
