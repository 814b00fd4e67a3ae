# Takes a server out of its pool, runs the script that patches it, and brings it back:
#
#     patch-server.ps1 -Server frontend01 -Patch { Install-Updates.ps1 frontend01 }
#
# The exit codes are those of patch-server.sh.  -DrainId names the drain; without it every run
# has its own.
param(
    [Parameter(Mandatory)] [ValidateNotNullOrEmpty()] [string] $Server,
    [Parameter(Mandatory)] [ValidateNotNull()] [scriptblock] $Patch,
    [string] $Reason = 'patch',
    [string] $DrainTimeout = '45m',
    [string] $DrainId = "patch-$env:COMPUTERNAME-$PID-$(Get-Date -Format yyyyMMddHHmmss)"
)
$ErrorActionPreference = 'Stop'

poolctl drain $Server --id $DrainId "--reason=$Reason" --timeout $DrainTimeout
$status = $LASTEXITCODE
if ($status -eq 6) {
    poolctl resume $Server --id $DrainId --timeout 10m
    if ($LASTEXITCODE -ne 0) { exit 20 }
    exit 6
}
if ($status -ne 0 -and $status -ne 7) { exit $status }

# From here on, whatever fails leaves the server out, which is safe, and says so.
$isBack = $false
try {
    $global:LASTEXITCODE = 0
    & $Patch
    if ($LASTEXITCODE -eq 0) { poolctl wait $Server --id $DrainId --for drained --timeout 30m }
    if ($LASTEXITCODE -eq 0) { poolctl resume $Server --id $DrainId --timeout 30m }
    $isBack = $LASTEXITCODE -eq 0
} catch {
    Write-Warning $_
} finally {
    if (-not $isBack) {
        Write-Warning "$Server may be out. When it is well: poolctl resume $Server --id $DrainId"
    }
}
if (-not $isBack) { exit 20 }
exit 0
