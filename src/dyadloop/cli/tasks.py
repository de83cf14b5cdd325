"""The commands on folders of tasks: run, status, slurm."""

from pathlib import Path
from typing import Annotated

import typer

from dyadloop.cli.doors import Doors
from dyadloop.cli.shared import AsJson, Quiet, print_json, say

Workers = Annotated[int, typer.Option(min=0, help="Processes; 0 does everything in this one.")]
Cluster = Annotated[
    str, typer.Option(help="Dask cluster: local, the address of a scheduler, or its file; default: none.")
]
tasks_app = Doors(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Work on a folder of tasks: on this machine, or as an array of jobs.

    \b
    Examples:
      dyadloop tasks status results/proposed-assurance
      dyadloop tasks run results/proposed-assurance --shard 3/20
      dyadloop tasks slurm results/proposed-assurance --shards 20""",
)
FolderOfTasks = Annotated[Path, typer.Argument(help="Folder of tasks.", metavar="FOLDER")]


@tasks_app.command("run")
def run_tasks(
    folder: FolderOfTasks,
    shard: Annotated[str, typer.Option(help="Part of the tasks to do, such as 3/20.")] = "1/1",
    workers: Workers = 1,
    cluster: Cluster = "",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Do the tasks of a folder that wait; any number of processes may do so at once.

    For example:

    dyadloop tasks run results/proposed-assurance --shard 3/20

    dyadloop tasks run results/proposed-assurance --cluster tcp://127.0.0.1:8786
    """
    from dyadloop.design.cluster import run_cluster
    from dyadloop.design.pool import run_pool
    from dyadloop.design.tasks import TaskFolder, shard_of, work
    from dyadloop.reporting.progress import steps

    tasks, part = TaskFolder(folder), shard_of(shard)
    damaged = tasks.refill()
    say(f"{len(damaged)} damaged results are made again", quiet or not damaged)
    with steps(quiet) as progress:
        if cluster:
            run_cluster(tasks, cluster, workers, lambda done, total: progress("tasks", done, total), part)
        elif workers:
            run_pool(tasks, workers, lambda done, total: progress("tasks", done, total), part)
        else:
            from dyadloop.design.solving import Solver, shared_by

            work(tasks, Solver(), shared_by, part, lambda done: progress("tasks", done, done))
    waiting, in_hand, done = tasks.counts()
    if as_json:
        print_json({"waiting": waiting, "in_hand": in_hand, "done": done, "damaged": damaged})
    say(f"{done} tasks done, {in_hand} in hand, {waiting} wait", quiet)


@tasks_app.command("status")
def task_status(folder: FolderOfTasks, as_json: AsJson = False) -> None:
    """Count the tasks of a folder that wait, are in hand and are done.

    Example: dyadloop tasks status results/proposed-assurance
    """
    from dyadloop.design.tasks import TaskFolder

    tasks = TaskFolder(folder)
    damaged = tasks.refill()
    waiting, in_hand, done = tasks.counts()
    if as_json:
        print_json({"waiting": waiting, "in_hand": in_hand, "done": done, "damaged": damaged})
    else:
        print(f"{done} done, {in_hand} in hand, {waiting} wait, {len(damaged)} damaged results will be made again")


@tasks_app.command("slurm")
def slurm(
    folder: FolderOfTasks,
    shards: Annotated[int, typer.Option(min=1, max=1000, help="Jobs of the array.")] = 20,
    minutes: Annotated[int, typer.Option(min=1, help="Time limit of a job.")] = 240,
    memory: Annotated[int, typer.Option(min=1, help="Memory of a job in GB.")] = 3,
) -> None:
    """Print the script of a Slurm array that does the tasks of a folder.

    Example: dyadloop tasks slurm results/proposed-assurance --shards 20 > array.sh
    """
    from dyadloop.design.tasks import slurm_script

    print(slurm_script(folder, shards, minutes, memory), end="")
