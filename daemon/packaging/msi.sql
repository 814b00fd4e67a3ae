-- What wixl cannot say; msi.sh gives each line to msibuild.

-- The folder for configuration and state stays, for SYSTEM and Administrators alone.
UPDATE Component SET Attributes=400 WHERE Component='data'
CREATE TABLE MsiLockPermissionsEx (MsiLockPermissionsEx CHAR(72) NOT NULL, LockObject CHAR(72) NOT NULL, `Table` CHAR(32) NOT NULL, SDDLText LONGCHAR NOT NULL, Condition CHAR(255) PRIMARY KEY MsiLockPermissionsEx)
INSERT INTO MsiLockPermissionsEx (MsiLockPermissionsEx, LockObject, `Table`, SDDLText) VALUES ('data', 'DATADIR', 'CreateFolder', 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)')

-- poolctl on PATH.
CREATE TABLE Environment (Environment CHAR(72) NOT NULL, Name CHAR(255) NOT NULL LOCALIZABLE, Value CHAR(255) LOCALIZABLE, Component_ CHAR(72) NOT NULL PRIMARY KEY Environment)
INSERT INTO Environment (Environment, Name, Value, Component_) VALUES ('path', '=-*PATH', '[~];[INSTALLDIR]', 'poolctl')
INSERT INTO InstallExecuteSequence (Action, Sequence) VALUES ('RemoveEnvironmentStrings', 3300)
INSERT INTO InstallExecuteSequence (Action, Sequence) VALUES ('WriteEnvironmentStrings', 5200)

-- Windows restarts poold after 5 s, also when it ends by itself with an error.
UPDATE ServiceInstall SET ErrorControl=32769 WHERE ServiceInstall='poold'
CREATE TABLE MsiServiceConfigFailureActions (MsiServiceConfigFailureActions CHAR(72) NOT NULL, Name CHAR(255) NOT NULL LOCALIZABLE, Event INT NOT NULL, ResetPeriod LONG, RebootMessage CHAR(255) LOCALIZABLE, Command CHAR(255) LOCALIZABLE, Actions CHAR(255), DelayActions CHAR(255), Component_ CHAR(72) NOT NULL PRIMARY KEY MsiServiceConfigFailureActions)
INSERT INTO MsiServiceConfigFailureActions (MsiServiceConfigFailureActions, Name, Event, ResetPeriod, Actions, DelayActions, Component_) VALUES ('poold', 'poold', 5, 86400, '1', '5000', 'poold')
CREATE TABLE MsiServiceConfig (MsiServiceConfig CHAR(72) NOT NULL, Name CHAR(255) NOT NULL LOCALIZABLE, Event INT NOT NULL, ConfigType LONG NOT NULL, Argument LONGCHAR, Component_ CHAR(72) NOT NULL PRIMARY KEY MsiServiceConfig)
INSERT INTO MsiServiceConfig (MsiServiceConfig, Name, Event, ConfigType, Argument, Component_) VALUES ('poold', 'poold', 5, 4, '1', 'poold')
INSERT INTO InstallExecuteSequence (Action, Sequence) VALUES ('MsiConfigureServices', 5850)

-- It is started once there is a poold.yaml: without one it would not start, and Windows would
-- take the whole installation back.
INSERT INTO Signature (Signature, FileName) VALUES ('config', 'poold.yaml')
CREATE TABLE DrLocator (Signature_ CHAR(72) NOT NULL, Parent CHAR(72), Path CHAR(255), Depth INT PRIMARY KEY Signature_, Parent, Path)
INSERT INTO DrLocator (Signature_, Path, Depth) VALUES ('config', '[CommonAppDataFolder]poolctl', 0)
INSERT INTO AppSearch (Property, Signature_) VALUES ('CONFIGFOUND', 'config')
INSERT INTO InstallExecuteSequence (Action, Sequence) VALUES ('AppSearch', 50)
UPDATE InstallExecuteSequence SET Condition='VersionNT AND STARTSERVICE<>"0" AND CONFIGFOUND' WHERE Action='StartServices'

-- As poold uninstall does: it refuses while poold still has something to put back.  It is done at
-- once, before anything is stopped or removed.  In the second half of an upgrade the old package is
-- removed, and finds a poold of another version.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('release', 3090, 'poold.exe', 'uninstall --package [ProductVersion]')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('release', 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE AND FORCE<>"1"', 1550)
UPDATE InstallExecuteSequence SET Sequence=1560, Condition='REMOVE="ALL"' WHERE Action='InstallExecute'
INSERT INTO InstallExecuteSequence (Action, Sequence) VALUES ('InstallExecuteAgain', 6500)

-- A file with a version replaces one with an older version.
UPDATE File SET Version='@VERSION@.0', Language='1033' WHERE File='poold.exe'
UPDATE File SET Version='@VERSION@.0', Language='1033' WHERE File='poolctl.exe'
DELETE FROM MsiFileHash WHERE File_='poold.exe'
DELETE FROM MsiFileHash WHERE File_='poolctl.exe'

-- The command line may set these, also where a service of Windows does the work.
UPDATE Property SET Value='FORCE;STARTSERVICE;WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED' WHERE Property='SecureCustomProperties'
