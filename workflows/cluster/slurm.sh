#!/bin/bash
# A night's batch on a Slurm farm: sbatch workflows/cluster/slurm.sh clips/
# One task a machine; the first is the head of a Ray cluster that lives as long as the job.
#SBATCH --job-name=foley
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --gpus-per-node=1
#SBATCH --time=10:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail

# a folder that all machines see
export FOLEY_CACHE=${FOLEY_CACHE:-$SLURM_SUBMIT_DIR/.foley-cache}
export OMP_NUM_THREADS=1 RAY_USAGE_STATS_ENABLED=0

mapfile -t machines < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${machines[0]}
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{print $1}')
port=$((20000 + SLURM_JOB_ID % 20000))  # another job's cluster on the same machine has another

start() {  # machine, how it joins
  srun --overlap --nodes=1 --ntasks=1 --nodelist="$1" ray start "${@:2}" --block --disable-usage-stats \
    --num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus="${SLURM_GPUS_ON_NODE:-0}" &
}

start "$head" --head --node-ip-address="$address" --port="$port" --include-dashboard=false
until ray health-check --address="$address:$port" 2>/dev/null; do sleep 1; done
for machine in "${machines[@]:1}"; do
  start "$machine" --address="$address:$port"
done

# in place of this script: Slurm's TERM before the time is up reaches it, and it ends with its summary written;
# submitted again, the same command goes on where it was
exec foley batch "$@" --cluster "$address:$port"
